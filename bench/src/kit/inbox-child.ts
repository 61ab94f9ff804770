// Handles every event of a topic with one UPDATE, exactly once, and prints how fast. Arguments: the
// subject (by hand, or kit), and how many events there are. `DATABASE_URL` chooses PostgreSQL.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { defineTables, service, silentLog, startService } from '@millrace/kit'
import { Consumer, MessagesStreamModes } from '@platformatic/kafka'
import { Kysely, PostgresDialect, SqliteDialect, sql } from 'kysely'
import { Pool } from 'pg'
import { catalogue, envelope, topic } from './bench-catalogue.ts'
import { quantile, tellSamples } from './child-process.ts'

const [subject = '', count = '0', accountsText = '10000'] = process.argv.slice(2)
const events = Number(count)
const accounts = Number(accountsText)
const brokers = process.env['KAFKA_BROKERS'] ?? ''
const databaseUrl = process.env['DATABASE_URL'] ?? ''
const directory = mkdtempSync(join(tmpdir(), 'bench-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

/** As many at once as are usual for one process. */
const connections = 4

interface Tables {
  balances: { account: number; amount: number }
  inbox: { event_id: string; subscription: string }
}

let left = events
let firstMs = 0
const tookMs: number[] = []

function handled(ms: number): void {
  if (firstMs === 0) firstMs = performance.now() - ms
  tookMs.push(ms)
  if (--left > 0) return
  const seconds = (performance.now() - firstMs) / 1000
  const store = databaseUrl === '' ? 'SQLite' : 'PostgreSQL'
  tellSamples([
    { measure: `inbox on ${store}`, unit: 'events/s', better: 'more', figure: events / seconds },
    {
      measure: `… from handler to commit on ${store}, p99`,
      unit: 'ms',
      better: 'less',
      figure: quantile(tookMs, 0.99),
    },
  ])
}

async function kit(): Promise<void> {
  const tables = defineTables<Tables>({
    '001 balances': async (db) => {
      await db.schema
        .createTable('balances')
        .addColumn('account', 'integer', (column) => column.primaryKey())
        .addColumn('amount', 'real', (column) => column.notNull())
        .execute()
      for (let from = 0; from < accounts; from += 500) {
        const rows = Array.from({ length: 500 }, (_, at) => ({ account: from + at, amount: 0 }))
        await db.insertInto('balances').values(rows).execute()
      }
    },
  })
  const bank = service('bank', { catalogue, tables, group: `bench-${process.pid}` }).on(
    'bench.event',
    async ({ payload: { account, amount } }, { db }) => {
      await db
        .updateTable('balances')
        .set((row) => ({ amount: row('amount', '+', amount) }))
        .where('account', '=', account)
        .execute()
    },
  )
  const started = new Map<object, number>()
  await startService(bank, {
    directory,
    env: { KAFKA_BROKERS: brokers, ...(databaseUrl === '' ? {} : { DATABASE_URL: databaseUrl }) },
    log: silentLog,
    observer: {
      attempting: (attempt) => started.set(attempt, performance.now()),
      attempted(attempt, outcome) {
        const beganMs = started.get(attempt) ?? 0
        started.delete(attempt)
        if (outcome.kind === 'handled') handled(performance.now() - beganMs)
      },
    },
  })
}

type Apply = (eventId: string, account: number, amount: number) => Promise<void>

/** What one writes without a kit: a transaction with the inbox row and the change, per event. */
async function byHand(): Promise<void> {
  const apply = databaseUrl === '' ? onSqlite() : await onPostgres()
  const consumer = new Consumer({
    clientId: 'bench',
    groupId: `bench-${process.pid}`,
    bootstrapBrokers: [brokers],
  })
  const stream = await consumer.consume({
    topics: [topic],
    mode: MessagesStreamModes.EARLIEST,
    autocommit: true,
    maxBytes: 1024 * 1024,
  })
  const running = new Set<Promise<void>>()
  for await (const { value } of stream) {
    const parsed = envelope.parse(JSON.parse(value.toString()))
    const beganMs = performance.now()
    const one = apply(parsed.eventId, parsed.payload.account, parsed.payload.amount).then(() => {
      running.delete(one)
      handled(performance.now() - beganMs)
    })
    running.add(one)
    if (running.size >= connections) await Promise.race(running)
  }
}

async function onPostgres(): Promise<Apply> {
  const pool = new Pool({ connectionString: databaseUrl, max: connections })
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  await sql`create table balances (account int primary key, amount float not null)`.execute(db)
  await sql`create table inbox (event_id text, subscription text,
    primary key (event_id, subscription))`.execute(db)
  await sql`insert into balances select n, 0 from generate_series(0, ${accounts}::int) n`.execute(
    db,
  )
  return applyOn(db)
}

function applyOn(db: Kysely<Tables>): Apply {
  return (event_id, account, amount) =>
    db.transaction().execute(async (trx) => {
      await trx.insertInto('inbox').values({ event_id, subscription: 'bank' }).execute()
      await trx
        .updateTable('balances')
        .set((row) => ({ amount: row('amount', '+', amount) }))
        .where('account', '=', account)
        .execute()
    })
}

function onSqlite(): Apply {
  const db = new DatabaseSync(join(directory, 'by-hand.sqlite'))
  db.exec('pragma journal_mode = wal; pragma synchronous = full')
  db.exec('create table balances (account integer primary key, amount real not null)')
  db.exec(
    'create table inbox (event_id text, subscription text, primary key (event_id, subscription))',
  )
  db.exec('begin')
  const seed = db.prepare('insert into balances values (?, 0)')
  for (let account = 0; account <= accounts; account++) seed.run(account)
  db.exec('commit')
  const database = {
    close: () => db.close(),
    prepare(text: string) {
      const statement = db.prepare(text)
      return {
        reader: statement.columns().length > 0,
        all: (values: readonly unknown[]) => statement.all(...values.map(bound)),
        run: (values: readonly unknown[]) => statement.run(...values.map(bound)),
        iterate: (values: readonly unknown[]) => statement.iterate(...values.map(bound)),
      }
    },
  }
  return applyOn(new Kysely<Tables>({ dialect: new SqliteDialect({ database }) }))
}

function bound(value: unknown): SQLInputValue {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw new Error(`${typeof value} is bound nowhere here`)
}

if (subject === 'kit') await kit()
else await byHand()
