import {
  defineCatalogue,
  defineTables,
  event,
  flatJson,
  type ServiceDefinition,
  service,
} from '@millrace/kit'
import type { Generated } from 'kysely'
import { z } from 'zod'
import type { Scenario, World } from '../src/testing.ts'

const fields = z.object({ orderId: z.string() })
const order = <Payload extends z.ZodType>(payload: Payload) =>
  event({ version: '1.0', stream: 'order', key: ({ orderId }) => orderId, fields, payload })

/** Two topics of one stream, one that answers, and one without keys. */
export const catalogue = defineCatalogue(
  'orders',
  {
    'order.placed': order(z.object({ number: z.int(), isPoison: z.boolean().optional() })),
    'order.changed': order(z.object({ number: z.int() })),
    'order.paid': order(z.object({ number: z.int() })),
    ping: event({ version: '1.0', payload: z.object({ number: z.int() }) }),
  },
  { format: flatJson, partitions: 2 },
)

interface Tables {
  lines: { number: Generated<number>; order_id: string; line: string }
}

const tables = defineTables<Tables>({
  '001 lines': async (db) => {
    await db.schema
      .createTable('lines')
      .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('order_id', 'text', (column) => column.notNull())
      .addColumn('line', 'text', (column) => column.notNull())
      .execute()
  },
})

export type Charge = (orderId: string, key: string) => Promise<void>

/** Takes orders, has them paid, and hears of it. */
export function payments(charge: Charge): ServiceDefinition<typeof catalogue, Tables> {
  return service('payments', { catalogue, tables })
    .on(
      'order.placed',
      async ({ orderId, payload }, { effect, db, publish }) => {
        if (payload.isPoison === true) throw new Error('nobody can pay this')
        await effect('charge', (key) => charge(orderId, key))
        await db.insertInto('lines').values({ order_id: orderId, line: 'paid' }).execute()
        await publish('order.paid', { orderId, payload: { number: payload.number } })
      },
      { retry: { attemptsMax: 3, delayMsMax: 20_000 } },
    )
    .on('order.changed', async ({ orderId }, { db, read }) => {
      await read.selectFrom('lines').selectAll().execute()
      await db.insertInto('lines').values({ order_id: orderId, line: 'changed' }).execute()
    })
}

export function ledger(): ServiceDefinition<typeof catalogue, Tables> {
  return service('ledger', { catalogue, tables })
    .on('order.paid', async ({ orderId }, { db }) => {
      await db.insertInto('lines').values({ order_id: orderId, line: 'paid' }).execute()
    })
    .on('ping', async () => {}, { onExhausted: 'skip' })
}

/** A shop that places a few orders, of which one is poison now and then. */
export function ordersScenario(world: World): Scenario {
  return scenarioOn(world, world.random() < 0.3 ? 2 : 1)
}

/** As `ordersScenario`, with partitions that move. */
export function twoInstancesScenario(world: World): Scenario {
  return scenarioOn(world, 2)
}

function scenarioOn(world: World, instances: number): Scenario {
  const charged = new Map<string, number>()
  const charge = world.dependency('charge', async (_order: string, key: string) => {
    charged.set(key, (charged.get(key) ?? 0) + 1)
  })
  const paying = payments(charge)
  const booking = ledger()
  const count = 2 + Math.floor(world.random() * 4)
  const numbers = Array.from({ length: count }, (_, number) => number)
  const orderOf = numbers.map(() => (world.random() < 0.5 ? 'a' : world.random() < 0.5 ? 'b' : 'c'))
  const poison = world.random() < 0.3 ? Math.floor(world.random() * count) : -1
  return {
    services: [{ service: paying, instances }, booking],
    acts: [
      ...numbers.map((number) => {
        const orderId = orderOf[number] ?? 'a'
        const payload = { number, ...(number === poison ? { isPoison: true } : {}) }
        return world.random() < 0.25
          ? world.arrives(catalogue, 'order.changed', { orderId, payload: { number } })
          : world.says(paying, 'order.placed', { orderId, payload })
      }),
      world.says(booking, 'ping', { payload: { number: 1 } }),
    ],
  }
}

/** One service that hears itself: small, so that thousands of schedules take seconds. */
export function soleServiceScenario(world: World): Scenario {
  const paying = payments(world.dependency('charge', () => {}))
  const count = 1 + Math.floor(world.random() * 3)
  return {
    services: [paying],
    acts: Array.from({ length: count }, (_, number) => {
      const orderId = world.random() < 0.6 ? 'a' : 'b'
      const payload = { number, ...(world.random() < 0.1 ? { isPoison: true } : {}) }
      return world.says(paying, 'order.placed', { orderId, payload })
    }),
  }
}
