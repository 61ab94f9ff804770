// What moves money, and when. The payment service handles the events of one booking one at a
// time (they share a stream), so that a charge and a cancellation never cross.
//
// Y1. The provider is asked before the transaction opens, with a key of the event's own: a crash
//     after its answer asks again, and moves no money twice.
// Y2. A booking that is cancelled before its charge is not charged; after it, all is returned.
import type { HandlerContext } from '@millrace/kit'
import type { Dreamscape, Heard } from '../../catalogue.ts'
import { addRefund, findCompleted, findPayment, type Payment, said, settle } from './payments.ts'
import type { ProviderClient } from './provider-client.ts'
import type { PaymentTables } from './tables.ts'

type Context = HandlerContext<Dreamscape, PaymentTables, { readonly provider: ProviderClient }>

export async function charge(event: Heard<'payment.initiated'>, context: Context): Promise<void> {
  const payment = await findPayment(context.read, event.payload.paymentId)
  // Another program's payment is not ours to charge: we have no card for it.
  if (payment?.card == null) return
  if (await isCancelled(payment, context)) {
    return fail(payment, 'the booking was cancelled before', context)
  }
  const { amountCents, card } = payment
  const asked = { key: payment.paymentId, amountCents, card }
  const outcome = await context.resources.provider.charge(asked, context.signal)
  if (outcome.kind === 'declined') return fail(payment, outcome.reason, context)
  const { chargeId } = outcome
  await settle(context.db, payment, { status: 'completed', chargeId })
  await context.publish('payment.completed', { payload: { ...said(payment), chargeId } })
}

async function isCancelled({ bookingId }: Payment, { read }: Context): Promise<boolean> {
  const found = await read
    .selectFrom('cancelled')
    .select('bookingId')
    .where('bookingId', '=', bookingId)
    .executeTakeFirst()
  return found !== undefined
}

async function fail(payment: Payment, reason: string, { db, publish }: Context): Promise<void> {
  await settle(db, payment, { status: 'failed', chargeId: null })
  await publish('payment.failed', { payload: { ...said(payment), reason } })
}

/** Returns all that is left, where something was paid. */
export async function refundAll(
  { eventId: key, payload: { bookingId } }: Heard<'voyage.booking.cancelled'>,
  context: Context,
): Promise<void> {
  const { db, publish, read, resources, signal } = context
  const payment = await findCompleted(read, bookingId)
  if (payment === undefined) return noteCancelled(bookingId, context)
  const { amountCents: paidCents, refundedCents } = payment
  const amountCents = paidCents - refundedCents
  if (amountCents === 0) return
  const chargeId = payment.chargeId ?? ''
  const refundId = await resources.provider.refund({ key, amountCents, chargeId }, signal)
  await addRefund(db, payment, amountCents)
  await publish('payment.refunded', { payload: { ...said(payment), amountCents, refundId } })
}

async function noteCancelled(bookingId: string, { db }: Context): Promise<void> {
  await db
    .insertInto('cancelled')
    .values({ bookingId })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Returns the difference, where a paid booking has become cheaper. */
export async function refundPart(
  { eventId: key, payload: { bookingId, refundCents } }: Heard<'voyage.booking.updated'>,
  { db, publish, read, resources, signal }: Context,
): Promise<void> {
  if (refundCents === 0) return
  const payment = await findCompleted(read, bookingId)
  if (payment === undefined) return
  // Cancelled meanwhile, on another topic: then all was returned.
  const leftCents = payment.amountCents - payment.refundedCents
  const amountCents = Math.min(refundCents, leftCents)
  if (amountCents === 0) return
  const chargeId = payment.chargeId ?? ''
  const refundId = await resources.provider.refund({ key, amountCents, chargeId }, signal)
  await addRefund(db, payment, amountCents)
  const remainingCents = leftCents - amountCents
  const payload = { ...said(payment), amountCents, refundId, remainingCents }
  await publish('payment.partial.refund', { payload })
}
