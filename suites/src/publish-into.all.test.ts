import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  defineCatalogue,
  event,
  ManualClock,
  MemoryCluster,
  type OwnTransaction,
  openMemory,
  service,
  silentLog,
  startService,
} from '@millrace/kit'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Kysely, sql as kyselySql, PostgresDialect } from 'kysely'
import { Client, Pool } from 'pg'
import { z } from 'zod'
import { hasCode } from './effect-rows.ts'
import { openTestDatabase, type TestDatabase } from './servers/postgres-database.ts'
import { serverVariable } from './servers/server-variables.ts'
import { until } from './work-service.ts'

const catalogue = defineCatalogue('shop', {
  'order.placed': event({
    version: '1.0',
    key: ({ orderId }) => orderId,
    fields: z.object({ orderId: z.string() }),
    payload: z.object({ total: z.number() }),
  }),
})
const shop = service('shop', { catalogue })

interface OrderTables {
  orders: { id: string }
}

let database: TestDatabase
before(async () => {
  database = await openTestDatabase(serverVariable('MILLRACE_POSTGRES'))
  await withClient(async (client) => {
    await client.query('create table orders (id text primary key)')
  })
})
after(() => database[Symbol.asyncDispose]())

type Publish = (transaction: OwnTransaction, orderId: string) => Promise<string>
/** Writes an order and its event in one transaction, and commits unless `fail` throws. */
type Place = (id: string, publish: Publish, fail?: () => void) => Promise<void>

const clients: Record<string, Place> = {
  pg: (id, publish, fail = () => {}) =>
    withClient(async (client) => {
      await client.query('begin')
      try {
        await client.query('insert into orders values ($1)', [id])
        await publish(client, id)
        fail()
        await client.query('commit')
      } catch (error) {
        await client.query('rollback')
        throw error
      }
    }),
  async Kysely(id, publish, fail = () => {}) {
    const pool = new Pool({ connectionString: database.url })
    await using db = new Kysely<OrderTables>({ dialect: new PostgresDialect({ pool }) })
    await db.transaction().execute(async (transaction) => {
      await transaction.insertInto('orders').values({ id }).execute()
      await publish(transaction, id)
      fail()
    })
  },
  async Drizzle(id, publish, fail = () => {}) {
    const pool = new Pool({ connectionString: database.url })
    try {
      await drizzle(pool).transaction(async (transaction) => {
        await transaction.execute(sql`insert into orders values (${id})`)
        await publish(transaction, id)
        fail()
      })
    } finally {
      await pool.end()
    }
  },
}

for (const [name, place] of Object.entries(clients)) {
  test(`${name}: what its transaction says is sent when it has committed, and only then`, async () => {
    await using bench = await startShop()
    await assert.rejects(
      place(`${name} 1`, bench.publish, () => {
        throw new Error('the order is cancelled')
      }),
    )
    await place(`${name} 2`, bench.publish)
    await until(async () => {
      await bench.clock.advance(10)
      return bench.sent().length > 0
    })
    assert.deepEqual(bench.sent(), [`${name} 2`])
    await withClient(async (client) => {
      const { rows } = await client.query('select id from orders where id like $1', [`${name}%`])
      assert.deepEqual(rows, [{ id: `${name} 2` }])
    })
  })
}

test('the transaction has the search path that it had', async () => {
  await using bench = await startShop()
  await withClient(async (client) => {
    await client.query('set search_path to public, "Other, schema"')
    await client.query('begin')
    await bench.publish(client, 'a')
    const { rows } = await client.query('show search_path')
    assert.deepEqual(rows, [{ search_path: 'public, "Other, schema"' }])
    await client.query('rollback')
  })
})

test('an event that does not fit its schema leaves the transaction as it was', async () => {
  await using bench = await startShop()
  await withClient(async (client) => {
    await client.query('begin')
    const body = { orderId: 'a', payload: { total: Number.NaN } }
    const unfit = bench.shop.publishInto(client, 'order.placed', body)
    await assert.rejects(unfit, hasCode('event-invalid'))
    assert.equal((await client.query('select 1')).rowCount, 1)
    await client.query('rollback')
  })
})

test('what is no open transaction is refused, and so is another database', async () => {
  await using bench = await startShop()
  const refused = (transaction: OwnTransaction) =>
    assert.rejects(bench.publish(transaction, 'a'), hasCode('definition-invalid'))
  await withClient((client) => refused(client))
  const pool = new Pool({ connectionString: database.url })
  await refused(pool)
  await using db = new Kysely<OrderTables>({ dialect: new PostgresDialect({ pool }) })
  await refused(db)
  await using elsewhere = await openTestDatabase(serverVariable('MILLRACE_POSTGRES'))
  await withClient(async (client) => {
    await client.query('begin')
    await refused(client)
  }, elsewhere.url)
  await db.transaction().execute(async (transaction) => {
    const { rows } = await kyselySql`select 1 as one`.execute(transaction)
    assert.deepEqual(rows, [{ one: 1 }])
  })
})

async function startShop() {
  const clock = new ManualClock()
  const cluster = new MemoryCluster(clock)
  const running = await startService(shop, {
    directory: '/nowhere',
    env: { DATABASE_URL: database.url },
    transport: openMemory(cluster, clock),
    clock,
    log: silentLog,
  })
  const publish: Publish = (transaction, orderId) =>
    running.publishInto(transaction, 'order.placed', { orderId, payload: { total: 1 } })
  return {
    shop: running,
    clock,
    publish,
    /** The orders whose events are on the topic. */
    sent: () =>
      [0, 1, 2]
        .flatMap((partition) => cluster.read({ topic: 'order.placed', partition }, 0n, 100))
        .map(({ key }) => new TextDecoder().decode(key ?? undefined)),
    async [Symbol.asyncDispose]() {
      await running.stop()
    },
  }
}

async function withClient(
  use: (client: Client) => Promise<void>,
  url: string = database.url,
): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
