// One booking from its making to its end, over the events of three services. Only this process
// says that a booking is confirmed or cancelled: whoever wants it cancelled asks.
//
//   created ──▶ payment initiated ──▶ completed ──▶ confirmed
//      │                  └─────────▶ failed    ──▶ cancelled
//      └── not paid in time, or asked for ────────▶ cancelled
//
// The events come on several topics, which Kafka does not order: each only adds what it knows,
// and `next` decides from all that is known.
import { defineProcess, type ProcessDecision } from '@millrace/kit'
import { catalogue, type Dreamscape, type Heard, type PayloadOf } from '../../catalogue.ts'

export interface BookingState {
  /** Null until the booking itself is heard of. */
  readonly trip: Trip | null
  /** In the customer's name, or null while none is made. */
  readonly paymentId: string | null
  readonly outcome: 'completed' | 'failed' | null
  readonly cancellationAsked: boolean
}

interface Trip {
  readonly bookingId: string
  readonly userId: string
  readonly destination: string
}

type Reason = PayloadOf<'voyage.booking.cancelled'>['reason']
type Decision = ProcessDecision<Dreamscape, BookingState, 'payment overdue'>
type BookingEvent = Heard<
  'voyage.booking.created' | 'voyage.booking.updated' | 'payment.initiated' | 'payment.completed'
>

const whose = ({ payload }: BookingEvent | Heard<'payment.failed'>) => payload.bookingId

export const bookingProcess = defineProcess('booking', {
  catalogue,
  initial: (): BookingState => ({
    trip: null,
    paymentId: null,
    outcome: null,
    cancellationAsked: false,
  }),
  timers: ['payment overdue'],
})
  .on('voyage.booking.created', whose, (state, { payload }) => {
    const { bookingId, userId, destination, payBy } = payload
    const trip = { bookingId, userId, destination }
    const decision = next({ ...state, trip })
    if (decision.kind !== 'continue' || state.paymentId !== null) return decision
    return { ...decision, timers: [{ name: 'payment overdue', at: new Date(payBy) }] }
  })
  .on('payment.initiated', whose, (state, { payload: { paymentId } }) => {
    const decision = next({ ...state, paymentId })
    // From here on the customer has done what was to do, however long the provider takes.
    return decision.kind === 'continue' ? { ...decision, cancel: ['payment overdue'] } : decision
  })
  .on('payment.completed', whose, (state, { payload: { paymentId } }) =>
    next({ ...state, paymentId, outcome: 'completed' }),
  )
  .on('payment.failed', whose, (state, { payload: { paymentId } }) =>
    next({ ...state, paymentId, outcome: 'failed' }),
  )
  .on('voyage.booking.updated', whose, (state, { payload }) =>
    payload.change === 'cancellation asked'
      ? next({ ...state, cancellationAsked: true })
      : { kind: 'ignore' },
  )
  .onTimer('payment overdue', (state) =>
    state.trip === null ? { kind: 'ignore' } : giveUp(state.trip, state, 'not paid in time'),
  )
  // A trip that was confirmed is cancelled later. One that was cancelled stays so.
  .onLate('voyage.booking.updated', (state, { payload }) => {
    const { trip, outcome, cancellationAsked } = state
    const isAsked = payload.change === 'cancellation asked' && !cancellationAsked
    if (!isAsked || trip === null || outcome !== 'completed') return {}
    return { state: { ...state, cancellationAsked: true }, publish: [cancelled(trip, 'asked')] }
  })

/** What follows from all that is known. */
function next(state: BookingState): Decision {
  const { trip, paymentId, outcome, cancellationAsked } = state
  if (trip === null) return { kind: 'continue', state }
  if (outcome === 'failed') return giveUp(trip, state, 'payment failed')
  const isUnderWay = paymentId !== null && outcome === null
  if (cancellationAsked && !isUnderWay) return giveUp(trip, state, 'asked')
  if (outcome === null || paymentId === null) return { kind: 'continue', state }
  const confirmed = { ...trip, paymentId }
  return {
    kind: 'end',
    state,
    publish: [{ name: 'voyage.booking.confirmed', body: { payload: confirmed } }],
  }
}

/** Each service undoes its own part when it hears of it: the seat, the payment. */
function giveUp(trip: Trip, state: BookingState, reason: Reason): Decision {
  return { kind: 'compensate', reason, state, afterwards: [cancelled(trip, reason)] }
}

function cancelled(trip: Trip, reason: Reason) {
  return { name: 'voyage.booking.cancelled', body: { payload: { ...trip, reason } } } as const
}
