// What the compiler must refuse, and what it must know. Checked by `npm run check`, never run.
import { z } from 'zod'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { type AggregateDecision, defineAggregate } from './aggregate.ts'
import { defineProcess } from './process-manager.ts'

const orderId = z.string()
const catalogue = defineCatalogue('shop', {
  'order.placed': event({ version: '1.0', payload: z.object({ orderId, cents: z.int() }) }),
  'order.confirmed': event({ version: '1.0', payload: z.object({ orderId }) }),
  'payment.asked': event({ version: '1.0', payload: z.object({ orderId, cents: z.int() }) }),
  'payment.refund.asked': event({ version: '1.0', payload: z.object({ orderId }) }),
  'payment.refunded': event({ version: '1.0', payload: z.object({ orderId }) }),
  'payment.made': event({ version: '1.0', payload: z.object({ orderId, receipt: z.string() }) }),
})

type OrderEvent =
  | { readonly type: 'placed'; readonly cents: number }
  | { readonly type: 'cancelled'; readonly reason: string }
type OrderCommand =
  | { readonly kind: 'place'; readonly cents: number }
  | { readonly kind: 'cancel'; readonly reason: string }
interface OrderState {
  readonly id: string
  readonly status: 'new' | 'placed' | 'cancelled'
}

function decide(
  { status }: OrderState,
  command: OrderCommand,
): AggregateDecision<OrderEvent, 'placed-already' | 'not-placed'> {
  switch (command.kind) {
    case 'place':
      return status === 'new'
        ? { kind: 'accepted', events: [{ type: 'placed', cents: command.cents }] }
        : { kind: 'rejected', reason: 'placed-already' }
    case 'cancel':
      return status === 'placed'
        ? { kind: 'accepted', events: [{ type: 'cancelled', reason: command.reason }] }
        : { kind: 'rejected', reason: 'not-placed' }
    default:
      return command satisfies never
  }
}

const initial = (id: string): OrderState => ({ id, status: 'new' })
const evolve = (state: OrderState, { type }: OrderEvent): OrderState => ({
  ...state,
  status: type,
})

export const order = defineAggregate('order', {
  catalogue,
  initial,
  decide,
  evolve,
  publish: (stored, { id }) =>
    stored.type === 'placed'
      ? [{ name: 'order.placed', body: { payload: { orderId: id, cents: stored.cents } } }]
      : [],
})

defineAggregate('order', {
  catalogue,
  initial,
  decide,
  evolve,
  // @ts-expect-error: the body is that of another event
  publish: (_, { id }) => [{ name: 'order.placed', body: { payload: { orderId: id } } }],
})

defineAggregate('order', {
  catalogue,
  initial,
  decide,
  evolve,
  // @ts-expect-error: the catalogue has no such event
  publish: () => [{ name: 'order.lost', body: { payload: {} } }],
})

interface Checkout {
  readonly step: 'new' | 'paying' | 'paid'
}

export const checkout = defineProcess('checkout', {
  catalogue,
  initial: (): Checkout => ({ step: 'new' }),
  timers: ['payment overdue'],
})
  .on(
    'order.placed',
    (placed) => placed.payload.orderId,
    (state, { payload }) =>
      state.step !== 'new'
        ? { kind: 'ignore' }
        : {
            kind: 'continue',
            state: { step: 'paying' },
            publish: [{ name: 'payment.asked', body: { payload } }],
            timers: [{ name: 'payment overdue', afterMs: 60_000, data: { cents: payload.cents } }],
          },
  )
  .on(
    'payment.made',
    (made) => made.payload.orderId,
    (_state, { payload: { orderId } }) => ({
      kind: 'continue',
      state: { step: 'paid' },
      cancel: ['payment overdue'],
      done: [
        {
          step: 'payment',
          undo: { name: 'payment.refund.asked', body: { payload: { orderId } } },
          undoneBy: 'payment.refunded',
        },
      ],
    }),
  )
  .onLate('payment.made', (_state, { payload: { orderId } }) => ({
    publish: [{ name: 'payment.refund.asked', body: { payload: { orderId } } }],
  }))
  .onTimer('payment overdue', () => ({ kind: 'compensate', reason: 'nobody paid' }))

checkout.on(
  // @ts-expect-error: no such event
  'order.lost',
  () => '1',
  () => ({ kind: 'ignore' }),
)

checkout.on(
  'order.confirmed',
  // @ts-expect-error: the payload has no such member
  (confirmed) => confirmed.payload.receipt,
  () => ({ kind: 'ignore' }),
)

checkout.on(
  'payment.refunded',
  () => '1',
  // @ts-expect-error: the state has no such step
  () => ({ kind: 'end', state: { step: 'refunded' } }),
)

checkout.on(
  'payment.refunded',
  () => '1',
  // @ts-expect-error: the process has no such timer
  () => ({ kind: 'continue', cancel: ['payment late'] }),
)

checkout.on(
  'payment.refunded',
  ({ payload }) => payload.orderId,
  () => ({
    kind: 'end',
    // @ts-expect-error: a member of the payload is missing
    publish: [{ name: 'order.confirmed', body: { payload: {} } }],
  }),
)

// @ts-expect-error: a timer that was not declared
checkout.onTimer('payment late', () => ({ kind: 'ignore' }))
