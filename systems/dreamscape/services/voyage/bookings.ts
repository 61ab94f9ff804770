// The bookings as rows. What becomes of one is the booking process's to say; a row follows it.
import type { Kysely, Selectable, Transaction } from 'kysely'
import { problems } from '../problems.ts'
import { findFlight, priceOf, type Selection } from './offers.ts'
import type { VoyageTables } from './tables.ts'

/**
 * - `awaiting payment` → `paying`: a payment has taken it, and its price is fixed.
 * - `cancelling`: its customer asked; the process has not said so yet.
 */
export type BookingStatus = 'awaiting payment' | 'paying' | 'confirmed' | 'cancelling' | 'cancelled'

export type Booking = Selectable<VoyageTables['bookings']>
type Db = Transaction<VoyageTables>

export interface NewBooking {
  readonly bookingId: string
  readonly userId: string
  readonly selection: Selection
  readonly payBy: string
}

/** Takes a seat, and books. Throws a problem where no seat is left. */
export async function insertBooking(db: Db, { selection, ...made }: NewBooking): Promise<Booking> {
  const { flightId } = selection
  const seat = await db
    .updateTable('seats')
    .set(({ eb }) => ({ left: eb('left', '-', 1) }))
    .where('flightId', '=', flightId)
    .where('left', '>', 0)
    .returning('flightId')
    .executeTakeFirst()
  if (seat === undefined) throw problems.full(flightId)
  const booking = {
    ...made,
    ...selection,
    destination: findFlight(flightId)?.destination ?? '',
    totalCents: priceOf(selection),
    status: 'awaiting payment',
    paymentId: null,
    reason: null,
  }
  await db.insertInto('bookings').values(booking).execute()
  return booking
}

/** Throws a problem where there is none, or it is another's. */
export async function ownBooking(
  db: Kysely<VoyageTables>,
  bookingId: string,
  userId: string,
): Promise<Booking> {
  const booking = await db
    .selectFrom('bookings')
    .selectAll()
    .where('bookingId', '=', bookingId)
    .where('userId', '=', userId)
    .executeTakeFirst()
  if (booking === undefined) throw problems.unknownBooking(bookingId)
  return booking
}

export interface Move {
  readonly from: readonly BookingStatus[]
  readonly to: BookingStatus
  readonly change?: Partial<Pick<Booking, 'paymentId' | 'reason' | 'nights' | 'totalCents'>>
}

/** Moves a booking on; undefined where it is in none of the states that it could leave. */
export function moveBooking(
  db: Db,
  bookingId: string,
  { from, to, change = {} }: Move,
): Promise<Booking | undefined> {
  return db
    .updateTable('bookings')
    .set({ status: to, ...change })
    .where('bookingId', '=', bookingId)
    .where('status', 'in', from)
    .returningAll()
    .executeTakeFirst()
}

export async function giveSeatBack(db: Db, { flightId }: Booking): Promise<void> {
  await db
    .updateTable('seats')
    .set(({ eb }) => ({ left: eb('left', '+', 1) }))
    .where('flightId', '=', flightId)
    .execute()
}
