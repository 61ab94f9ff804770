import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sql, type Transaction } from 'kysely'
import { MillraceError, type MillraceErrorCode } from '../errors.ts'
import { ManualClock } from '../manual-clock.ts'
import type { KitTables } from './kit-tables.ts'
import { openSqlite } from './sqlite.ts'
import { isUniqueViolation } from './store-error.ts'
import type { Migrations } from './table-definitions.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-sqlite-'))
after(() => rmSync(directory, { recursive: true }))
let files = 0
const newFile = () => join(directory, `${files++}.sqlite`)

const open = (file = newFile(), migrations: Migrations<KitTables> = {}) =>
  openSqlite({ file, owner: 'test', migrations, clock: new ManualClock() })

const hasCode = (code: MillraceErrorCode, words: RegExp) => (error: unknown) => {
  assert(error instanceof MillraceError)
  assert.equal(error.code, code)
  assert.match(error.message, words)
  return true
}

const step =
  (table: string): Migrations<KitTables>[string] =>
  async (db) => {
    await sql`create table ${sql.id(table)} (id integer primary key, text text unique)`.execute(db)
  }

test('what is committed is synced: the write-ahead log with FULL', async () => {
  await using store = await open()
  const pragmas = await store.transaction('pragmas', async (db) => [
    (await sql<object>`pragma journal_mode`.execute(db)).rows[0],
    (await sql<object>`pragma synchronous`.execute(db)).rows[0],
    (await sql<object>`pragma foreign_keys`.execute(db)).rows[0],
  ])
  assert.deepEqual(pragmas, [{ journal_mode: 'wal' }, { synchronous: 2 }, { foreign_keys: 1 }])
})

test('a second start says who holds the database, and after the first has ended it may', async () => {
  const file = newFile()
  const first = await open(file)
  await assert.rejects(
    open(file),
    hasCode('store-locked', new RegExp(`in use by process ${process.pid} on .* \\(since 2026-`)),
  )
  await first[Symbol.asyncDispose]()
  await (await open(file))[Symbol.asyncDispose]()
})

test('a process that was killed holds the database no longer', async () => {
  const file = newFile()
  const module = JSON.stringify(import.meta.resolve('./instance-lock.ts'))
  const script = `import(${module}).then(({ lockInstance }) => {
    globalThis.lock = lockInstance(${JSON.stringify(file)}, 0)
    console.log('locked')
    setInterval(() => {}, 1000)
  })`
  const other = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(other.stdout, 'data')
  await assert.rejects(open(file), hasCode('store-locked', new RegExp(`process ${other.pid} `)))
  other.kill('SIGKILL')
  await once(other, 'exit')
  await (await open(file))[Symbol.asyncDispose]()
})

test('a file that is no database is named, with what to do', async () => {
  const file = newFile()
  writeFileSync(file, 'this is no database, but it is long enough to look like one'.repeat(40))
  await assert.rejects(open(file), hasCode('store-damaged', /\.sqlite is damaged.*Restore a copy/))
})

test('migrations run once, in the order written', async () => {
  const file = newFile()
  await (await open(file, { '001 a': step('a') }))[Symbol.asyncDispose]()
  await using store = await open(file, { '001 a': step('a'), '002 b': step('b') })
  const { rows } = await sql<{ name: string }>`
    select name from sqlite_master where name in ('a', 'b') order by name`.execute(store.read)
  assert.deepEqual(rows, [{ name: 'a' }, { name: 'b' }])
})

test('a migration that fails leaves nothing of itself, and runs again at the next start', async () => {
  const file = newFile()
  const failing: Migrations<KitTables> = {
    async '001 a'(db) {
      await sql`create table a (id integer)`.execute(db)
      throw new Error('half done')
    },
  }
  await assert.rejects(open(file, failing), /half done/)
  await (await open(file, { '001 a': step('a') }))[Symbol.asyncDispose]()
})

test('a database of a newer version is refused by the migration that is unknown', async () => {
  const file = newFile()
  await (await open(file, { '001 a': step('a'), '002 b': step('b') }))[Symbol.asyncDispose]()
  await assert.rejects(
    open(file, { '001 a': step('a') }),
    hasCode('store-newer', /seen migration "002 b" of test, .* Start the newer version/),
  )
})

test('a migration that was put before one already seen is refused', async () => {
  const file = newFile()
  await (await open(file, { '002 b': step('b') }))[Symbol.asyncDispose]()
  await assert.rejects(
    open(file, { '001 a': step('a'), '002 b': step('b') }),
    hasCode('definition-invalid', /migration "001 a" of test stands before one/),
  )
})

test('a full disk is told to every transaction that it hit, and what was there stays', async () => {
  await using store = await open(newFile(), { '001 a': step('a') })
  const insert = (id: number, text: string) =>
    store.transaction('insert', (db) =>
      sql`insert into a (id, text) values (${id}, ${text})`.execute(db).then(() => {}),
    )
  await insert(1, 'first')
  await store.transaction('limit', async (db) => {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
    const pages = rows[0]?.page_count ?? 0
    await sql.raw(`pragma max_page_count = ${pages + 2}`).execute(db)
  })
  const outcomes = await Promise.allSettled([2, 3].map((id) => insert(id, `${id}`.repeat(30_000))))
  for (const outcome of outcomes) {
    assert(outcome.status === 'rejected')
    hasCode('store-full', /is full; nothing was written/)(outcome.reason)
    assert.equal(outcome.reason.retriable, true)
  }
  await insert(4, 'small')
  const { rows } = await sql<{ id: number }>`select id from a order by id`.execute(store.read)
  assert.deepEqual(rows, [{ id: 1 }, { id: 4 }])
})

test('who goes on after the disk was full writes nothing outside of the transaction', async () => {
  await using store = await open(newFile(), { '001 a': step('a') })
  const insert = (db: Transaction<KitTables>, id: number, text: string) =>
    sql`insert into a (id, text) values (${id}, ${text})`.execute(db)
  const careless = store.transaction('careless', async (db) => {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
    await sql.raw(`pragma max_page_count = ${(rows[0]?.page_count ?? 0) + 2}`).execute(db)
    await insert(db, 1, 'said before')
    await insert(db, 2, '2'.repeat(30_000)).catch(() => {})
    await insert(db, 3, 'said after')
  })
  await assert.rejects(careless, hasCode('store-failed', /rolled back by itself/))
  const { rows } = await sql<{ id: number }>`select id from a`.execute(store.read)
  assert.deepEqual(rows, [])
})

test('a row that is there already can be told from other errors, by its column', async () => {
  await using store = await open(newFile(), { '001 a': step('a') })
  const insert = (id: number) =>
    store.transaction('insert', (db) =>
      sql`insert into a (id, text) values (${id}, 'taken')`.execute(db),
    )
  await insert(1)
  await assert.rejects(insert(2), (error) => {
    assert.equal(isUniqueViolation(error), true)
    assert.equal(isUniqueViolation(error, 'a.text'), true)
    assert.equal(isUniqueViolation(error, 'a.id'), false)
    return true
  })
  await assert.rejects(insert(1), (error) => isUniqueViolation(error, 'a.id'))
  assert.equal(isUniqueViolation(new Error('UNIQUE constraint failed: a.id')), false)
})

const values: readonly (readonly [title: string, value: unknown, stored: unknown])[] = [
  ['true', true, 1],
  ['undefined', undefined, null],
  ['bytes', new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  ['text', 'é', 'é'],
]

for (const [title, value, stored] of values) {
  test(`a query may carry ${title}`, async () => {
    await using store = await open()
    const { rows } = await sql<{ value: unknown }>`select ${value} as value`.execute(store.read)
    assert.deepEqual(rows, [{ value: stored }])
  })
}

test('a value that SQLite cannot store is refused with what to pass instead', async () => {
  await using store = await open()
  await assert.rejects(
    sql`select ${new Date(0)}`.execute(store.read),
    /SQLite cannot store a Date; pass its toISOString\(\) or getTime\(\)/,
  )
  await assert.rejects(sql`select ${[1]}`.execute(store.read), /cannot store an array/)
})

test("a transaction of Kysely's own is refused: it would pass by the writer's queue", async () => {
  await using store = await open()
  await assert.rejects(
    store.read.transaction().execute(async () => {}),
    hasCode('definition-invalid', /use transaction\(\) of the running service/),
  )
})

test('read cannot write', async () => {
  await using store = await open(newFile(), { '001 a': step('a') })
  await assert.rejects(sql`insert into a (id) values (1)`.execute(store.read), /readonly database/)
})
