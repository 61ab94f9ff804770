import { defineTables } from '@millrace/kit'
import { flights } from './offers.ts'

export interface VoyageTables {
  /** How many seats of each flight are left. */
  seats: { flightId: string; left: number }
  /** What each person has chosen, until it is booked. */
  selections: { userId: string; flightId: string; hotelId: string | null; nights: number }
  bookings: {
    bookingId: string
    userId: string
    destination: string
    flightId: string
    hotelId: string | null
    nights: number
    totalCents: number
    /** See `BookingStatus`. */
    status: string
    /** RFC 3339. */
    payBy: string
    paymentId: string | null
    /** Why it was cancelled. */
    reason: string | null
  }
  /** Where the AI service thinks that each person goes next. */
  predictions: { userId: string; destination: string }
}

export const tables = defineTables<VoyageTables>({
  '001 seats, selections, bookings': async (db) => {
    await db.schema
      .createTable('seats')
      .addColumn('flightId', 'text', (column) => column.primaryKey())
      .addColumn('left', 'integer', (column) => column.notNull())
      .execute()
    const seats = flights.map(({ flightId, seats: left }) => ({ flightId, left }))
    await db.insertInto('seats').values(seats).execute()
    await db.schema
      .createTable('selections')
      .addColumn('userId', 'text', (column) => column.primaryKey())
      .addColumn('flightId', 'text', (column) => column.notNull())
      .addColumn('hotelId', 'text')
      .addColumn('nights', 'integer', (column) => column.notNull())
      .execute()
    await db.schema
      .createTable('bookings')
      .addColumn('bookingId', 'text', (column) => column.primaryKey())
      .addColumn('userId', 'text', (column) => column.notNull())
      .addColumn('destination', 'text', (column) => column.notNull())
      .addColumn('flightId', 'text', (column) => column.notNull())
      .addColumn('hotelId', 'text')
      .addColumn('nights', 'integer', (column) => column.notNull())
      .addColumn('totalCents', 'integer', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('payBy', 'text', (column) => column.notNull())
      .addColumn('paymentId', 'text')
      .addColumn('reason', 'text')
      .execute()
    await db.schema.createIndex('bookingsByUser').on('bookings').column('userId').execute()
    await db.schema
      .createTable('predictions')
      .addColumn('userId', 'text', (column) => column.primaryKey())
      .addColumn('destination', 'text', (column) => column.notNull())
      .execute()
  },
})
