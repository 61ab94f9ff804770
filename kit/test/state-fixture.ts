import { z } from 'zod'
import { defineCatalogue } from '../src/catalogue/catalogue.ts'
import { event } from '../src/catalogue/event.ts'
import type { TransactionContext } from '../src/handler.ts'
import { ManualClock } from '../src/manual-clock.ts'
import { noObserver } from '../src/observe/observer.ts'
import { Outbox } from '../src/outbox/outbox.ts'
import { openTransactions } from '../src/outbox/transaction.ts'
import type { TransactionOptions } from '../src/server.ts'
import { service } from '../src/service.ts'
import {
  type Aggregate,
  type AggregateDecision,
  type AggregateEvent,
  type AggregateOptions,
  type DecideOptions,
  defineAggregate,
} from '../src/state/aggregate.ts'
import { openSqlite } from '../src/store/sqlite.ts'
import { typedTransactionContext } from '../src/untyped.ts'

const orderId = z.string()

const shop = defineCatalogue('shop', {
  'order.placed': event({ version: '1.0', payload: z.object({ orderId, cents: z.int() }) }),
})
type Shop = typeof shop

export type OrderEvent =
  | { readonly type: 'placed'; readonly cents: number; readonly more?: unknown }
  | { readonly type: 'paid' }
  | { readonly type: 'noted' }

export type OrderCommand =
  | { readonly kind: 'place'; readonly cents: number; readonly more?: unknown }
  | { readonly kind: 'pay' }
  | { readonly kind: 'note'; readonly text: string }

export interface Order {
  readonly id: string
  readonly status: 'new' | 'placed' | 'paid'
  readonly cents: number
  readonly notes: number
}

type OrderOptions = AggregateOptions<Shop, Order, OrderCommand, OrderEvent, OrderRejection>
type OrderRejection = 'placed-already' | 'not-placed'

/** An order that is placed once, paid once, and noted on as often as one likes. */
export function orderAggregate({
  evolved = () => {},
  ...options
}: Partial<OrderOptions> & { readonly evolved?: (type: string) => void } = {}): Aggregate<
  Shop,
  Order,
  OrderCommand,
  OrderEvent,
  OrderRejection
> {
  return defineAggregate('order', {
    catalogue: shop,
    initial: (id) => ({ id, status: 'new', cents: 0, notes: 0 }),
    decide: decideOrder,
    evolve(order, stored) {
      evolved(stored.type)
      return evolveOrder(order, stored)
    },
    publish: (stored, { id }) =>
      stored.type === 'placed'
        ? [{ name: 'order.placed', body: { payload: { orderId: id, cents: stored.cents } } }]
        : [],
    ...options,
  })
}

function decideOrder(
  { status }: Order,
  command: OrderCommand,
): AggregateDecision<OrderEvent, OrderRejection> {
  switch (command.kind) {
    case 'place': {
      if (status !== 'new') return { kind: 'rejected', reason: 'placed-already' }
      const { kind: _, ...placed } = command
      return { kind: 'accepted', events: [{ type: 'placed', ...placed }] }
    }
    case 'pay':
      if (status !== 'placed') return { kind: 'rejected', reason: 'not-placed' }
      return { kind: 'accepted', events: [{ type: 'paid' }] }
    case 'note':
      return { kind: 'accepted', events: [{ type: 'noted' }] }
    default:
      return command satisfies never
  }
}

function evolveOrder(order: Order, stored: OrderEvent): Order {
  switch (stored.type) {
    case 'placed':
      return { ...order, status: 'placed', cents: stored.cents }
    case 'paid':
      return { ...order, status: 'paid' }
    case 'noted':
      return { ...order, notes: order.notes + 1 }
    default:
      return stored satisfies never
  }
}

/** A database with the kit's tables, and the transactions of a service on it. */
export async function stateFixture() {
  const clock = new ManualClock()
  const definition = service('shop', { catalogue: shop })
  const store = await openSqlite({ file: ':memory:', owner: 'shop', migrations: {}, clock })
  const outbox = new Outbox(100_000)
  const base = { service: definition, store, outbox, clock, random: Math.random }
  const untyped = openTransactions({ ...base, observer: noObserver })
  const transaction = <Result>(
    work: (context: TransactionContext<Shop, object>) => Promise<Result>,
    options?: TransactionOptions,
  ) => untyped((context) => work(typedTransactionContext<Shop, object>(context)), options)
  return {
    clock,
    store,
    outbox,
    transaction,
    command: <State, Command, Event extends AggregateEvent, Rejection>(
      aggregate: Aggregate<Shop, State, Command, Event, Rejection>,
      id: string,
      command: Command,
      options?: DecideOptions,
    ) => transaction((context) => context.aggregate(aggregate, id).handle(command, options)),
    async said() {
      const rows = await store.read
        .selectFrom('millrace_outbox')
        .selectAll()
        .orderBy('id')
        .execute()
      return rows.map(({ event_type: name, value }) => {
        const { payload }: { payload: unknown } = JSON.parse(
          new TextDecoder().decode(value ?? undefined),
        )
        return { name, payload }
      })
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
