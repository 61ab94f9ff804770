// What the voyage service does on events that are not the booking process's own.
import type { HandlerContext, Publish } from '@millrace/kit'
import type { Dreamscape, Heard } from '../../catalogue.ts'
import { type Booking, giveSeatBack, moveBooking } from './bookings.ts'
import type { VoyageTables } from './tables.ts'

type Context = Pick<HandlerContext<Dreamscape, VoyageTables>, 'db' | 'publish'>

/** A customer who asked for its cancellation meanwhile gets that. */
export async function confirm(
  { payload: { bookingId } }: Heard<'voyage.booking.confirmed'>,
  { db }: Context,
): Promise<void> {
  await moveBooking(db, bookingId, { from: ['awaiting payment', 'paying'], to: 'confirmed' })
}

export async function cancel(
  { payload: { bookingId, reason } }: Heard<'voyage.booking.cancelled'>,
  { db }: Context,
): Promise<void> {
  const cancelled = await moveBooking(db, bookingId, {
    from: ['awaiting payment', 'paying', 'confirmed', 'cancelling'],
    to: 'cancelled',
    change: { reason },
  })
  if (cancelled !== undefined) await giveSeatBack(db, cancelled)
}

export async function remember(
  { payload: { userId, destination } }: Heard<'ai.prediction.made'>,
  { db }: Context,
): Promise<void> {
  await db
    .insertInto('predictions')
    .values({ userId, destination })
    .onConflict((conflict) => conflict.column('userId').doUpdateSet({ destination }))
    .execute()
}

/** Who has left goes on no trip that is not paid; a paid one stays a person's to cancel. */
export async function letGo(
  { payload: { userId } }: Heard<'user.deleted'>,
  { db, publish }: Context,
): Promise<void> {
  await db.deleteFrom('selections').where('userId', '=', userId).execute()
  await db.deleteFrom('predictions').where('userId', '=', userId).execute()
  const unpaid = await db
    .updateTable('bookings')
    .set({ status: 'cancelling' })
    .where('userId', '=', userId)
    .where('status', '=', 'awaiting payment')
    .returningAll()
    .execute()
  for (const booking of unpaid) await askForCancellation(publish, booking)
}

/** The booking process says whether, and when. */
export async function askForCancellation(
  publish: Publish<Dreamscape>,
  { bookingId, userId, destination, nights, totalCents }: Booking,
): Promise<void> {
  await publish('voyage.booking.updated', {
    payload: {
      bookingId,
      userId,
      destination,
      change: 'cancellation asked',
      nights,
      totalCents,
      refundCents: 0,
    },
  })
}
