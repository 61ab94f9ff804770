import { test } from 'node:test'
import { specify } from '@millrace/testing'
import { bookingProcess } from './booking-process.ts'

const nowMs = Date.UTC(2026, 0, 1)
const trip = { bookingId: 'b-1', userId: 'u-1', destination: 'lisbon' }
const money = { paymentId: 'p-1', bookingId: 'b-1', userId: 'u-1', amountCents: 100 }
const paid = { ...money, currency: 'EUR' } as const
const stay = { nights: 0, totalCents: 100, refundCents: 0 }

const created = {
  name: 'voyage.booking.created',
  body: {
    payload: {
      ...trip,
      flightId: 'paris-lisbon',
      hotelId: null,
      nights: 0,
      totalCents: 100,
      payBy: new Date(nowMs + 900_000).toISOString(),
    },
  },
} as const
const initiated = { name: 'payment.initiated', body: { payload: paid } } as const
const completed = {
  name: 'payment.completed',
  body: { payload: { ...paid, chargeId: 'c-1' } },
} as const
const failed = {
  name: 'payment.failed',
  body: { payload: { ...paid, reason: 'the card is declined' } },
} as const
const asked = {
  name: 'voyage.booking.updated',
  body: { payload: { ...trip, ...stay, change: 'cancellation asked' } },
} as const
const shortened = {
  name: 'voyage.booking.updated',
  body: { payload: { ...trip, ...stay, change: 'nights' } },
} as const
const overdue = { timer: 'payment overdue' } as const

const confirmed = {
  name: 'voyage.booking.confirmed',
  body: { payload: { ...trip, paymentId: 'p-1' } },
} as const
const cancelled = (reason: 'asked' | 'payment failed' | 'not paid in time') =>
  ({ name: 'voyage.booking.cancelled', body: { payload: { ...trip, reason } } }) as const

const given = specify(bookingProcess, { id: 'b-1', nowMs })

test('a booking waits for its payment until it is overdue', () => {
  given([])
    .when(created)
    .then({ timers: [{ name: 'payment overdue', afterMs: 900_000 }] })
  given([created])
    .when(overdue)
    .then({ published: [cancelled('not paid in time')], status: 'ended' })
})

test('a payment that has begun is never overdue, however long the provider takes', () => {
  given([created])
    .when(initiated)
    .then({ cancelled: ['payment overdue'], status: 'running' })
  // Heard on the other topic before.
  given([initiated]).when(created).then({ timers: [] })
})

test('what is paid is confirmed, and what failed is cancelled, once each', () => {
  given([created, initiated])
    .when(completed)
    .then({ published: [confirmed], status: 'ended' })
  given([created, initiated])
    .when(failed)
    .then({ published: [cancelled('payment failed')], status: 'ended' })
  given([created, initiated, completed]).when(completed).thenIgnored()
})

test('the order in which the topics are heard changes nothing', () => {
  given([initiated, completed])
    .when(created)
    .then({ published: [confirmed] })
  given([completed, initiated])
    .when(created)
    .then({ published: [confirmed] })
  given([created, completed]).when(initiated).thenIgnored()
  given([failed])
    .when(created)
    .then({ published: [cancelled('payment failed')] })
  given([asked])
    .when(created)
    .then({ published: [cancelled('asked')] })
})

test('a cancellation is said at once, but waits for a payment that is under way', () => {
  given([created])
    .when(asked)
    .then({ published: [cancelled('asked')], cancelled: ['payment overdue'] })
  given([created, initiated]).when(asked).then({ status: 'running' })
  given([created, initiated, asked])
    .when(completed)
    .then({ published: [cancelled('asked')] })
  given([created, initiated, asked])
    .when(failed)
    .then({ published: [cancelled('payment failed')] })
})

test('a confirmed booking can be cancelled later; a cancelled one only once', () => {
  given([created, initiated, completed])
    .when(asked)
    .then({ published: [cancelled('asked')] })
  given([created, initiated, failed]).when(asked).then({ published: [] })
  given([created, asked]).when(asked).then({ published: [] })
})

test('another change of a booking is nothing to its process', () => {
  given([created]).when(shortened).thenIgnored()
  given([created, initiated, completed]).when(shortened).then({ published: [] })
})
