import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { inspect } from 'node:util'
import {
  type Clock,
  defineTables,
  dialectOf,
  isUniqueViolation,
  type KitTables,
  ManualClock,
  MillraceError,
  openPostgres,
  type PostgresOptions,
  type Store,
  systemClock,
} from '@millrace/kit'
import { type Generated, sql } from 'kysely'
import { type Database, hasCode, idsIn, write } from './effect-rows.ts'
import { PostgresStores } from './postgres-stores.ts'
import { serverVariable } from './servers/server-variables.ts'

const stores = new PostgresStores(serverVariable('MILLRACE_POSTGRES'))
after(() => stores[Symbol.asyncDispose]())
let databases = 0

async function newUrl(): Promise<string> {
  const { DATABASE_URL = '' } = await stores.of(`database ${databases++}`)
  return DATABASE_URL
}

async function open(options: Partial<PostgresOptions> = {}): Promise<Store<KitTables>> {
  const { url = await newUrl(), clock = systemClock, migrations = {} } = options
  return openPostgres({ url, owner: options.owner ?? 'suite', migrations, clock })
}

const isRetriable = (code: MillraceError['code']) => (error: unknown) =>
  hasCode(code)(error) && error instanceof MillraceError && error.retriable

for (const shared of [false, true]) {
  const title = shared ? 'a shared transaction' : 'a transaction'
  test(`${title} whose connection is terminated is an outage, and the next one is well`, async () => {
    const url = await newUrl()
    await using store = await open({ url })
    await using other = await open({ url, owner: 'other' })
    const scope = store.scope({ name: 'cut off', ...(shared ? { shared: 'events' } : {}) })
    await write(scope.db, 'a')
    await terminate(other, await pidOf(scope.db))
    await assert.rejects(write(scope.db, 'b'), isRetriable('store-failed'))
    await assert.rejects(scope.commit(), isRetriable('store-failed'))
    await store.transaction('next', (db) => write(db, 'c'))
    assert.deepEqual(await idsIn(store.read), ['c'])
  })
}

test('a connection that is terminated while nobody uses it is replaced unseen', async () => {
  const url = await newUrl()
  await using store = await open({ url })
  await using other = await open({ url, owner: 'other' })
  const pid = await store.transaction('first', pidOf)
  await terminate(other, pid)
  await store.transaction('next', (db) => write(db, 'a'))
  assert.deepEqual(await idsIn(store.read), ['a'])
})

test('of two transactions that lock each other out one is a conflict, to be done again', async () => {
  await using store = await open()
  await store.transaction('before', async (db) => {
    await write(db, 'a')
    await write(db, 'b')
  })
  const both = Promise.withResolvers<void>()
  let first = 0
  const lock = (db: Database, id: string) =>
    db.updateTable('millrace_effects').set({ person: '' }).where('event_id', '=', id).execute()
  const crossing = (one: string, other: string) =>
    store.transaction(`${one} before ${other}`, async (db) => {
      await lock(db, one)
      first += 1
      if (first === 2) both.resolve()
      await both.promise
      await lock(db, other)
    })
  const outcomes = await Promise.allSettled([crossing('a', 'b'), crossing('b', 'a')])
  const [rejected, ...more] = outcomes.filter((outcome) => outcome.status === 'rejected')
  assert.equal(more.length, 0)
  assert(isRetriable('store-conflict')(rejected?.reason))
})

test('a statement that is cut short is a database that is busy', async () => {
  const url = await newUrl()
  await using store = await open({ url })
  await using other = await open({ url, owner: 'other' })
  await store.transaction('slow', async (db) => {
    const pid = await pidOf(db)
    const slow = assert.rejects(sql`select pg_sleep(60)`.execute(db), isRetriable('store-busy'))
    const cancelled = () =>
      sql<{ done: boolean }>`
        select pg_cancel_backend(pid) as done from pg_stat_activity
        where pid = ${pid} and query like '%pg_sleep%'
      `.execute(other.read)
    while ((await cancelled()).rows.length === 0);
    await slow
    // As after any query that fails.
    await write(db, 'a')
  })
  assert.deepEqual(await idsIn(store.read), ['a'])
})

test('a role with too few connections is an outage', async () => {
  const url = await newUrl()
  await using admin = await open({ url, owner: 'admin' })
  await sql`create role poor login connection limit 1`.execute(admin.read)
  const poor = new URL(url)
  try {
    poor.username = 'poor'
    await sql`create schema poor authorization poor`.execute(admin.read)
    // The start needs one to hold the lock, and another to migrate.
    await assert.rejects(open({ url: poor.href, owner: 'poor' }), isRetriable('store-failed'))
  } finally {
    await sql`drop owned by poor`.execute(admin.read)
    await sql`drop role poor`.execute(admin.read)
  }
})

test('instances that start together migrate once', async () => {
  const url = await newUrl()
  let runs = 0
  const migrations = {
    '001 slow': async (db: Database) => {
      runs += 1
      await sql`create table once (id integer)`.execute(db)
      await sql`select pg_sleep(0.05)`.execute(db)
    },
  }
  const started = await Promise.all(
    Array.from({ length: 3 }, () => open({ url, owner: 'My service.1', migrations })),
  )
  assert.equal(runs, 1)
  for (const store of started) await store[Symbol.asyncDispose]()
})

test('services of one database have schemas of their own', async () => {
  const url = await newUrl()
  await using one = await open({ url, owner: 'one' })
  await using other = await open({ url, owner: 'other' })
  await one.transaction('write', (db) => write(db, 'a'))
  assert.deepEqual(await idsIn(other.read), [])
})

type ThingTables = {
  things: { id: Generated<number>; Size: number; weight: number; bytes: Uint8Array; name: string }
}

const things = defineTables<ThingTables>({
  '001 things': async (db) => {
    await db.schema
      .createTable('things')
      .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('Size', 'integer', (column) => column.notNull().unique())
      .addColumn('weight', 'real', (column) => column.notNull())
      .addColumn('bytes', 'blob', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .execute()
    assert.equal(dialectOf(db), 'postgres')
  },
})

test('a migration in SQLite’s words makes the same table, and its values come back', async () => {
  await using bench = await openThings()
  const thing = { Size: Number.MAX_SAFE_INTEGER, weight: 0.1, bytes: Buffer.from([0, 255]) }
  const row = await bench.insert({ ...thing, name: 'ä' })
  assert.deepEqual(
    { ...row, bytes: [...row.bytes] },
    {
      id: 1,
      Size: Number.MAX_SAFE_INTEGER,
      weight: 0.1,
      bytes: [0, 255],
      name: 'ä',
    },
  )
})

test('an integer that a number cannot hold is refused, not rounded', async () => {
  await using bench = await openThings()
  const read = sql`select 9007199254740993::bigint as value`.execute(bench.store.read)
  await assert.rejects(read, /9007199254740993 is beyond/)
})

test('a unique violation is told by its column', async () => {
  await using bench = await openThings()
  const thing = { Size: 1, weight: 1, bytes: Buffer.alloc(0), name: 'secret' }
  await bench.insert(thing)
  await assert.rejects(bench.insert(thing), (error) => {
    assert(isUniqueViolation(error))
    assert(isUniqueViolation(error, 'things.Size'))
    assert(!isUniqueViolation(error, 'things.name'))
    assert(!isUniqueViolation(error, 'others.Size'))
    return true
  })
})

const hidden = 'tops3cret'
for (const [problem, url] of [
  ['nobody listens', `postgresql://ann:${hidden}@127.0.0.1:1/shop`],
  ['it is another kind', `mysql://ann:${hidden}@127.0.0.1/shop`],
  ['it is no URL', `postgresql://ann:${hidden}@[:5432/shop`],
  [
    'the role is unknown',
    serverVariable('MILLRACE_POSTGRES').replace('millrace@', `nobody:${hidden}@`),
  ],
] as const) {
  test(`the password is in no error where ${problem}`, async () => {
    const error: unknown = await open({ url }).then(
      () => null,
      (reason: unknown) => reason,
    )
    assert(error instanceof MillraceError)
    assert.doesNotMatch(inspect(error, { depth: 10, showHidden: true }), new RegExp(hidden))
  })
}

test('time on the clock rolls back what waits for nothing, on the server too', async () => {
  const clock = new ManualClock()
  await using store = await open({ clock })
  const slow = store.scope({ name: 'slow' })
  await write(slow.db, 'a')
  await clock.advance(5_000)
  // The row would be locked for as long as the transaction is open.
  await store.transaction('next', (db) => write(db, 'a'))
  assert.deepEqual(await idsIn(store.read), ['a'])
})

async function openThings(clock: Clock = systemClock) {
  const store = await open({
    clock,
    migrations: {
      '001': async (db) => {
        const step = things.migrations['001 things']
        await step?.(db.withTables<ThingTables>())
      },
    },
  })
  return {
    store,
    insert: (thing: Omit<ThingTables['things'], 'id'>) =>
      store.transaction('insert', (db) =>
        db
          .withTables<ThingTables>()
          .insertInto('things')
          .values(thing)
          .returningAll()
          .executeTakeFirstOrThrow(),
      ),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

async function pidOf(db: Database): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)
  return rows[0]?.pid ?? 0
}

/** Returns when the server has ended the connection. */
async function terminate(store: Store<KitTables>, pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid}, 10000)`.execute(store.read)
}
