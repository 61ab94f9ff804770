import { z } from 'zod'
import { defineCatalogue } from '../src/catalogue/catalogue.ts'
import { event } from '../src/catalogue/event.ts'
import { defineProcess } from '../src/state/process-manager.ts'

const tripId = z.string()
const fact = event({
  version: '1.0',
  key: ({ payload }) => payload.tripId,
  payload: z.object({ tripId }),
})

/** A trip: a flight, a hotel and a payment, each asked for, told, and undone by an event. */
export const travel = defineCatalogue('travel', {
  'trip.asked': fact,
  'flight.asked': fact,
  'flight.held': fact,
  'flight.release.asked': fact,
  'flight.released': fact,
  'hotel.asked': fact,
  'hotel.held': fact,
  'hotel.release.asked': fact,
  'payment.asked': fact,
  'payment.made': fact,
  'payment.failed': fact,
  'payment.refund.asked': fact,
  'trip.confirmed': fact,
  'trip.failed': fact,
})

export interface Trip {
  readonly next: 'flight' | 'hotel' | 'payment' | 'nothing'
}

export const overdueMs = 15 * 60_000

const id = ({ payload }: { readonly payload: { readonly tripId: string } }) => payload.tripId
const about = (trip: string) => ({ payload: { tripId: trip } })

/** The flight's release is waited for, the hotel's is not. */
export const trip = defineProcess('trip', {
  catalogue: travel,
  initial: (): Trip => ({ next: 'nothing' }),
  timers: ['payment overdue'],
  handling: { retry: { attemptsMax: 2, delayMsMin: 1, delayMsMax: 1 } },
})
  .on('trip.asked', id, (_state, _event, process) => ({
    kind: 'continue',
    state: { next: 'flight' },
    publish: [{ name: 'flight.asked', body: about(process.id) }],
  }))
  .on('flight.held', id, (_state, _event, process) => ({
    kind: 'continue',
    state: { next: 'hotel' },
    publish: [{ name: 'hotel.asked', body: about(process.id) }],
    done: [
      {
        step: 'flight',
        undo: { name: 'flight.release.asked', body: about(process.id) },
        undoneBy: 'flight.released',
      },
    ],
  }))
  .on('hotel.held', id, (_state, _event, process) => ({
    kind: 'continue',
    state: { next: 'payment' },
    publish: [{ name: 'payment.asked', body: about(process.id) }],
    timers: [{ name: 'payment overdue', afterMs: overdueMs, data: { from: 'hotel' } }],
    done: [{ step: 'hotel', undo: { name: 'hotel.release.asked', body: about(process.id) } }],
  }))
  .on('payment.made', id, ({ next }, _event, process) =>
    next === 'payment'
      ? { kind: 'end', publish: [{ name: 'trip.confirmed', body: about(process.id) }] }
      : { kind: 'ignore' },
  )
  .onLate('payment.made', (_state, _event, process) => ({
    publish: [{ name: 'payment.refund.asked', body: about(process.id) }],
  }))
  .on('payment.failed', id, (_state, _event, process) => ({
    kind: 'compensate',
    reason: 'the payment failed',
    cancel: ['payment overdue'],
    afterwards: [{ name: 'trip.failed', body: about(process.id) }],
  }))
  .on('flight.released', id, () => ({ kind: 'ignore' }))
  .onTimer('payment overdue', (_state, timer, process) => ({
    kind: 'compensate',
    reason: `nobody paid by ${new Date(timer.dueAtMs).toISOString()}`,
    afterwards: [{ name: 'trip.failed', body: about(process.id) }],
  }))
