// From a commit to Kafka: how long it takes at a steady rate, and how fast a backlog is gone.
// Arguments: the subject (kit, or a poller's interval in ms), seconds, and rows of the backlog.
// `DATABASE_URL` chooses PostgreSQL.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { service, silentLog, startService } from '@millrace/kit'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import { Pool } from 'pg'
import { catalogue, recordValue, topic } from './bench-catalogue.ts'
import { quantile, tellSamples } from './child-process.ts'

const [subject = '', seconds = '5', backlogText = '10000'] = process.argv.slice(2)
const backlog = Number(backlogText)
const brokers = process.env['KAFKA_BROKERS'] ?? ''
const databaseUrl = process.env['DATABASE_URL'] ?? ''
const store = databaseUrl === '' ? 'SQLite' : 'PostgreSQL'
const directory = mkdtempSync(join(tmpdir(), 'bench-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

const perSecond = 500

interface Speaker {
  /** Commits one event. */
  say(number: number): Promise<void>
  /** Commits many without sending them. */
  fill(count: number): Promise<void>
  /** Sends what is there. */
  open(): Promise<void>
}

/** When each event was committed, and when Kafka had it. */
const committedMs = new Map<number, number>()
const tookMs: number[] = []
let sent = 0
/** When Kafka had the first, and how many it had by then. */
let first = { atMs: 0, sent: 0 }
let allSent: () => void = () => {}
let expected = Number.POSITIVE_INFINITY

function acknowledged(number: number): void {
  if (sent === 0) {
    const atMs = performance.now()
    // A batch is acknowledged as a whole.
    queueMicrotask(() => {
      first = { atMs, sent }
    })
  }
  sent += 1
  const atMs = committedMs.get(number)
  if (atMs !== undefined) tookMs.push(performance.now() - atMs)
  if (sent >= expected) allSent()
}

async function sentAll(count: number): Promise<void> {
  if (sent >= count) return
  const { promise, resolve } = Promise.withResolvers<void>()
  expected = count
  allSent = resolve
  await promise
}

const speaker = subject === 'kit' ? kit() : databaseUrl === '' ? pollSqlite() : await pollPostgres()
await speaker.fill(backlog)
await speaker.open()
await sentAll(backlog)
const drained = (backlog - first.sent) / ((performance.now() - first.atMs) / 1000)
const steady = Number(seconds) * perSecond
const beganMs = performance.now()
for (let number = 0; number < steady; number++) {
  const dueMs = beganMs + (number * 1000) / perSecond
  const waitMs = dueMs - performance.now()
  if (waitMs > 1) await sleep(waitMs)
  const id = backlog + number
  void speaker.say(id).then(() => committedMs.has(id) || committedMs.set(id, performance.now()))
}
await sentAll(backlog + steady)
tellSamples([
  {
    measure: `relay on ${store}: commit → Kafka, p50`,
    unit: 'ms',
    better: 'less',
    figure: quantile(tookMs, 0.5),
  },
  {
    measure: `relay on ${store}: commit → Kafka, p99`,
    unit: 'ms',
    better: 'less',
    figure: quantile(tookMs, 0.99),
  },
  { measure: `relay on ${store}: a backlog`, unit: 'events/s', better: 'more', figure: drained },
])

function kit(): Speaker {
  const definition = service('speaker', { catalogue })
  const start = (enabled: boolean) =>
    startService(definition, {
      directory,
      env: {
        KAFKA_BROKERS: brokers,
        ...(enabled ? {} : { KAFKA_ENABLED: 'false' }),
        ...(databaseUrl === '' ? {} : { DATABASE_URL: databaseUrl }),
      },
      log: silentLog,
      observer: {
        sent({ records, outcome }) {
          if (outcome.kind !== 'sent') return
          for (const { headers } of records) acknowledged(numbers.get(headers.id ?? '') ?? -1)
        },
      },
    })
  const numbers = new Map<string, number>()
  let running: Awaited<ReturnType<typeof start>> | null = null
  const bodyOf = (number: number) => JSON.parse(recordValue(number, number % 1000)).payload
  return {
    async fill(count) {
      await using filling = await start(false)
      for (let from = 0; from < count; from += 500) {
        await filling.transaction(async ({ publish }) => {
          for (let number = from; number < Math.min(from + 500, count); number++) {
            await publish('bench.event', { payload: bodyOf(number) })
          }
        })
      }
    },
    async open() {
      running = await start(true)
    },
    async say(number) {
      await running?.transaction(async ({ publish }) => {
        numbers.set(await publish('bench.event', { payload: bodyOf(number) }), number)
      })
      committedMs.set(number, performance.now())
    },
  }
}

async function producerByHand() {
  const producer = new Producer({
    clientId: 'bench',
    bootstrapBrokers: [brokers],
    idempotent: true,
  })
  return async (number: number) => {
    await producer.send({
      acks: ProduceAcks.ALL,
      messages: [
        {
          topic,
          key: Buffer.from(String(number % 1000)),
          value: Buffer.from(recordValue(number, number % 1000)),
        },
      ],
    })
    acknowledged(number)
  }
}

/** What one writes first: ask for rows, send each, delete it, sleep. */
async function poll(take: () => Promise<readonly number[]>, drop: (id: number) => Promise<void>) {
  const send = await producerByHand()
  const loop = async () => {
    for (;;) {
      for (const number of await take()) {
        await send(number)
        await drop(number)
      }
      await sleep(Number(subject))
    }
  }
  void loop()
}

function pollSqlite(): Speaker {
  const db = new DatabaseSync(join(directory, 'by-hand.sqlite'))
  db.exec('pragma journal_mode = wal; pragma synchronous = full')
  db.exec('create table outbox (id integer primary key, value text not null)')
  const insert = db.prepare('insert into outbox values (?, ?)')
  const some = db.prepare('select id from outbox order by id limit 1000')
  const remove = db.prepare('delete from outbox where id = ?')
  return {
    async fill(count) {
      db.exec('begin')
      for (let number = 0; number < count; number++) insert.run(number, recordValue(number, number))
      db.exec('commit')
    },
    open: () =>
      poll(
        async () => some.all().map(({ id }) => Number(id)),
        async (id) => void remove.run(id),
      ),
    async say(number) {
      insert.run(number, recordValue(number, number))
      committedMs.set(number, performance.now())
    },
  }
}

async function pollPostgres(): Promise<Speaker> {
  const pool = new Pool({ connectionString: databaseUrl, max: 10 })
  await pool.query('create table outbox (id bigint primary key, value text not null)')
  const say = async (number: number) => {
    await pool.query('insert into outbox values ($1, $2)', [number, recordValue(number, number)])
    committedMs.set(number, performance.now())
  }
  return {
    async fill(count) {
      const value = recordValue(1, 1)
      await pool.query('insert into outbox select n, $2 from generate_series(0, $1::int - 1) n', [
        count,
        value,
      ])
    },
    open: () =>
      poll(
        async () => {
          const { rows } = await pool.query('select id from outbox order by id limit 1000')
          return rows.map(({ id }) => Number(id))
        },
        async (id) => void (await pool.query('delete from outbox where id = $1', [id])),
      ),
    say,
  }
}
