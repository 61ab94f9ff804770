import { defineTables } from '@millrace/kit'

export interface PaymentTables {
  payments: {
    paymentId: string
    /** One payment for a booking: the voyage service lets only one take it. */
    bookingId: string
    userId: string
    amountCents: number
    /** Until the provider has said yes or no; then it is forgotten. */
    card: string | null
    /** See `PaymentStatus`. */
    status: string
    chargeId: string | null
    refundedCents: number
  }
  /** Bookings that were cancelled, though their payment may come later. */
  cancelled: { bookingId: string }
}

/** `initiated` → `completed` or `failed`. */
export type PaymentStatus = 'initiated' | 'completed' | 'failed'

export const tables = defineTables<PaymentTables>({
  '001 payments': async ({ schema }) => {
    await schema
      .createTable('payments')
      .addColumn('paymentId', 'text', (column) => column.primaryKey())
      .addColumn('bookingId', 'text', (column) => column.notNull().unique())
      .addColumn('userId', 'text', (column) => column.notNull())
      .addColumn('amountCents', 'integer', (column) => column.notNull())
      .addColumn('card', 'text')
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('chargeId', 'text')
      .addColumn('refundedCents', 'integer', (column) => column.notNull())
      .execute()
    await schema
      .createTable('cancelled')
      .addColumn('bookingId', 'text', (column) => column.primaryKey())
      .execute()
  },
})
