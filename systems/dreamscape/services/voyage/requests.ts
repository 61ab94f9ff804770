// What the voyage service accepts. A refusal names the field and what it should be.
import { z } from 'zod'
import { holdSecondsMax, nightsMax, waitSecondsMax } from '../../limits.ts'

const id = z.string().min(1).max(100)
const nights = z.int().min(1).max(nightsMax)

export const search = z.object({ to: id.optional() })
export const flightChoice = z.object({ flightId: id })
export const hotelChoice = z.object({ hotelId: id, nights: nights.default(1) })
export const newBooking = z.object({
  holdSeconds: z.number().positive().max(holdSecondsMax).default(holdSecondsMax),
})
export const bookingPath = z.object({ bookingId: id })
export const stay = z.object({ nights })
export const hold = z.object({ userId: id, paymentId: id })

/** The seconds of `Prefer: wait=10` (RFC 7240 §4.3), at most `waitSecondsMax`; else 0. */
export function waitSecondsOf(prefer: string | string[] | undefined): number {
  const seconds = /(?:^|[,;\s])wait=(\d{1,4})/.exec([prefer].flat().join())?.[1]
  return Math.min(Number(seconds ?? 0), waitSecondsMax)
}
