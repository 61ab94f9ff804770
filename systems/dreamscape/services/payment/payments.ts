// The payments, as rows, and what is said of one.
import type { Kysely, Selectable, Transaction } from 'kysely'
import type { PaymentStatus, PaymentTables } from './tables.ts'

export type Payment = Selectable<PaymentTables['payments']>

export function findPayment(
  db: Kysely<PaymentTables>,
  paymentId: string,
): Promise<Payment | undefined> {
  return db.selectFrom('payments').selectAll().where('paymentId', '=', paymentId).executeTakeFirst()
}

/** The payment of a booking that went through; undefined where there is none (yet). */
export function findCompleted(
  db: Kysely<PaymentTables>,
  bookingId: string,
): Promise<Payment | undefined> {
  return db
    .selectFrom('payments')
    .selectAll()
    .where('bookingId', '=', bookingId)
    .where('status', '=', 'completed')
    .executeTakeFirst()
}

export interface Settlement {
  readonly status: Exclude<PaymentStatus, 'initiated'>
  readonly chargeId: string | null
}

/** The provider has answered: the card is needed no more. */
export async function settle(
  db: Transaction<PaymentTables>,
  { paymentId }: Payment,
  settlement: Settlement,
): Promise<void> {
  await db
    .updateTable('payments')
    .set({ ...settlement, card: null })
    .where('paymentId', '=', paymentId)
    .execute()
}

export async function addRefund(
  db: Transaction<PaymentTables>,
  { paymentId }: Payment,
  cents: number,
): Promise<void> {
  await db
    .updateTable('payments')
    .set(({ eb }) => ({ refundedCents: eb('refundedCents', '+', cents) }))
    .where('paymentId', '=', paymentId)
    .execute()
}

/** What every event of a payment says. */
export function said({ paymentId, bookingId, userId, amountCents }: Payment) {
  return { paymentId, bookingId, userId, amountCents, currency: 'EUR' } as const
}
