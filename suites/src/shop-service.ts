import {
  type AggregateDecision,
  defineAggregate,
  defineCatalogue,
  defineProcess,
  event,
  type ProcessDecision,
  service,
} from '@millrace/kit'
import { z } from 'zod'

const orderId = z.string()
const about = event({
  version: '1.0',
  key: ({ payload }) => payload.orderId,
  payload: z.object({ orderId }),
})

/** Half of the topics are of one stream, so that a process hears several streams at once. */
export const shopCatalogue = defineCatalogue(
  'shop',
  {
    'order.placed': about,
    'stock.reserved': about,
    'stock.released': about,
    'stock.release.asked': about,
    'payment.made': about,
    'payment.refund.asked': about,
    'order.confirmed': about,
    'order.cancelled': about,
    'order.reminded': about,
  },
  { partitions: 2 },
)

type Shop = typeof shopCatalogue
type OrderEvent = { readonly type: 'placed' } | { readonly type: 'noted'; readonly by: string }
type OrderCommand = { readonly kind: 'place' } | { readonly kind: 'note'; readonly by: string }

export interface Order {
  readonly isPlaced: boolean
  readonly notes: readonly string[]
}

/** An order that is placed once, and noted on as often as one likes. */
export const order = defineAggregate('order', {
  catalogue: shopCatalogue,
  initial: (): Order => ({ isPlaced: false, notes: [] }),
  decide: decideOrder,
  evolve: ({ isPlaced, notes }: Order, stored: OrderEvent): Order =>
    stored.type === 'placed'
      ? { isPlaced: true, notes }
      : { isPlaced, notes: [...notes, stored.by] },
  publish: (stored, { id }) =>
    stored.type === 'placed' ? [{ name: 'order.placed', body: { payload: { orderId: id } } }] : [],
  snapshot: { every: 7 },
})

function decideOrder(
  { isPlaced }: Order,
  command: OrderCommand,
): AggregateDecision<OrderEvent, 'placed-already'> {
  switch (command.kind) {
    case 'place':
      if (isPlaced) return { kind: 'rejected', reason: 'placed-already' }
      return { kind: 'accepted', events: [{ type: 'placed' }] }
    case 'note':
      return { kind: 'accepted', events: [{ type: 'noted', by: command.by }] }
    default:
      return command satisfies never
  }
}

export interface Checkout {
  readonly heard: readonly string[]
}

type Decision = ProcessDecision<Shop, Checkout, 'payment overdue'>

/** How long a checkout waits for its payment, where nothing else is said. */
const overdueMs = 60 * 60_000

/**
 * Waits for stock and payment, in either order. `waitMs` is how long it waits for a payment once
 * the stock is reserved; the stock's release is waited for before it is cancelled.
 */
export function shopService(name: string, { waitMs = overdueMs } = {}) {
  const id = ({ payload }: { readonly payload: { readonly orderId: string } }) => payload.orderId
  const hear = (what: 'stock' | 'payment', { heard }: Checkout, order: string): Decision => {
    const all = [...heard, what]
    const body = { payload: { orderId: order } }
    if (all.includes('stock') && all.includes('payment')) {
      return { kind: 'end', state: { heard: all }, publish: [{ name: 'order.confirmed', body }] }
    }
    const undo = what === 'stock' ? 'stock.release.asked' : 'payment.refund.asked'
    return {
      kind: 'continue',
      state: { heard: all },
      timers: what === 'stock' ? [{ name: 'payment overdue', afterMs: waitMs }] : [],
      done: [
        {
          step: what,
          undo: { name: undo, body },
          ...(what === 'stock' ? { undoneBy: 'stock.released' as const } : {}),
        },
      ],
    }
  }
  const checkout = defineProcess('checkout', {
    catalogue: shopCatalogue,
    initial: (): Checkout => ({ heard: [] }),
    timers: ['payment overdue'],
  })
    .on('stock.reserved', id, (state, _event, process) => hear('stock', state, process.id))
    .on('payment.made', id, (state, _event, process) => hear('payment', state, process.id))
    .onLate('payment.made', (_state, { payload }) => ({
      publish: [{ name: 'payment.refund.asked', body: { payload } }],
    }))
    .on('stock.released', id, () => ({ kind: 'ignore' }))
    .onTimer('payment overdue', (_state, _timer, process) => ({
      kind: 'compensate',
      reason: 'nobody paid',
      afterwards: [{ name: 'order.cancelled', body: { payload: { orderId: process.id } } }],
    }))
  const definition = service(name, { catalogue: shopCatalogue })
    .process(checkout)
    .on('stock.release.asked', async ({ payload }, { publish }) => {
      await publish('stock.released', { payload })
    })
  return { definition, checkout }
}
