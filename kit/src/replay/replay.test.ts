import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { settle, until } from '../../test/turns.ts'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import type { HandlerOptions } from '../handler.ts'
import { replayChunkMax } from '../limits.ts'
import { silentLog } from '../log.ts'
import { ManualClock } from '../manual-clock.ts'
import { service } from '../service.ts'
import { startService } from '../start-service.ts'
import { defineTables } from '../store/table-definitions.ts'
import { openMemory } from '../transport/memory.ts'
import { MemoryCluster } from '../transport/memory-cluster.ts'
import type { ReplayProgress, ReplayRequest } from './replay.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-replay-'))
after(() => rmSync(directory, { recursive: true }))
let stages = 0

const catalogue = defineCatalogue(
  'post',
  {
    'post.liked': event({
      version: '1.0',
      key: ({ payload }) => payload.post,
      payload: z.object({ post: z.string(), number: z.int() }),
    }),
    'post.disliked': event({ version: '1.0', payload: z.object({ post: z.string() }) }),
    'post.counted': event({ version: '1.0', payload: z.object({ post: z.string() }) }),
  },
  { partitions: 2 },
)

interface Tables {
  likes: { post: string; number: number }
}

const tables = defineTables<Tables>({
  '001 likes': async (db) => {
    await db.schema
      .createTable('likes')
      .addColumn('post', 'text', (column) => column.notNull())
      .addColumn('number', 'integer', (column) => column.notNull())
      .execute()
  },
})

interface StageOptions {
  readonly policy?: HandlerOptions['replay']
  /** Throws for a like of that number, as long as there is one. */
  readonly fails?: { at: number | null }
  readonly attemptsMax?: number
}

/** A service that counts likes, sends a mail for each, and says that it counted. */
async function stage({ policy, fails = { at: null }, attemptsMax = 1 }: StageOptions = {}) {
  const clock = new ManualClock()
  const cluster = new MemoryCluster(clock)
  const mails: string[] = []
  const options: HandlerOptions = {
    retry: { attemptsMax },
    ...(policy === undefined ? {} : { replay: policy }),
  }
  const counter = service('counter', { catalogue, tables })
    .on(
      'post.liked',
      async ({ payload }, { db, effect, publish }) => {
        if (payload.number === fails.at) throw new Error(`like ${payload.number} is odd`)
        await effect('mail', async (key) => mails.push(key))
        await db.insertInto('likes').values(payload).execute()
        await publish('post.counted', { payload: { post: payload.post } })
      },
      options,
    )
    .on('post.disliked', async () => {}, options)
  const running = await startService(counter, {
    directory: join(directory, String(stages++)),
    env: {},
    transport: openMemory(cluster, clock),
    clock,
    log: silentLog,
    announces: false,
  })
  const like = (post: string, number: number) =>
    running.transaction(({ publish }) => publish('post.liked', { payload: { post, number } }))
  const rows = () => running.read.selectFrom('likes').selectAll().execute()
  const numbers = async () => (await rows()).map(({ number }) => number)
  const heard = async (count: number) => {
    for (let turn = 0; (await rows()).length < count; turn++) {
      assert.ok(turn < 2_000, `it never heard ${count}`)
      await settle()
    }
  }
  const recordsOn = (topic: string) =>
    [0, 1].reduce((sum, partition) => sum + Number(cluster.endOffset({ topic, partition })), 0)
  return {
    clock,
    cluster,
    running,
    mails,
    like,
    numbers,
    heard,
    recordsOn,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

async function likes(at: Awaited<ReturnType<typeof stage>>, count: number) {
  for (let number = 1; number <= count; number++) await at.like(number % 2 ? 'a' : 'b', number)
  await at.heard(count)
}

test('the database changes again, in order; effects and events do not happen again', async () => {
  await using at = await stage()
  await likes(at, 5)
  await until('all is said', () => at.recordsOn('post.counted') === 5)
  const said = at.recordsOn('post.counted')
  const outcome = await at.running.replay({})
  assert.equal(outcome.kind, 'done')
  assert.deepEqual(
    { ...outcome.progress, name: '' },
    {
      name: '',
      recordsTotal: 5,
      recordsRead: 5,
      handled: 5,
      repeated: 0,
      effectsSuppressed: 5,
      eventsSuppressed: 5,
    },
  )
  const replayed = (await at.numbers()).slice(5)
  assert.deepEqual(
    replayed.filter((number) => number % 2),
    [1, 3, 5],
  )
  assert.deepEqual(
    replayed.filter((number) => number % 2 === 0),
    [2, 4],
  )
  assert.equal(at.mails.length, 5)
  assert.equal(at.recordsOn('post.counted'), said)
})

test('a safe handler says again, and does what it had not done', async () => {
  await using at = await stage({ policy: 'safe' })
  await likes(at, 2)
  await at.running.replay({})
  await until('it is said again', () => at.recordsOn('post.counted') === 4)
  assert.equal(at.mails.length, 2)
})

test('a handler that forbids it is not given its past, and the error names it', async () => {
  await using at = await stage({ policy: 'forbid' })
  await likes(at, 1)
  await assert.rejects(at.running.replay({}), {
    code: 'replay-refused',
    message: /"post\.liked", "post\.disliked" in service "counter" forbid/,
  })
  assert.deepEqual(await at.numbers(), [1])
})

test('a shadow changes nothing, and tells whether the handler manages', async () => {
  const fails = { at: null as number | null }
  await using at = await stage({ fails })
  await likes(at, 3)
  assert.equal((await at.running.replay({ into: 'shadow' })).kind, 'done')
  assert.deepEqual(await at.numbers(), [1, 2, 3])
  fails.at = 2
  const outcome = await at.running.replay({ into: 'shadow' })
  assert.ok(outcome.kind === 'stopped')
  assert.match(outcome.reason, /like 2 is odd/)
})

test('a replay that a failure stopped goes on under its name, and repeats nothing', async () => {
  const fails = { at: null as number | null }
  await using at = await stage({ fails })
  await likes(at, 4)
  fails.at = 3
  const first = await at.running.replay({ name: 'again' })
  assert.ok(first.kind === 'stopped')
  assert.match(first.at, /^post\.liked\/\d at \d$/)
  fails.at = null
  const second = await at.running.replay({ name: 'again' })
  assert.equal(second.kind, 'done')
  const replayed = (await at.numbers()).slice(4)
  assert.deepEqual(
    replayed.toSorted((one, other) => one - other),
    [1, 2, 3, 4],
  )
})

test('from and to are offsets or times, and what is outside is not touched', async () => {
  await using at = await stage()
  await at.like('a', 1)
  await at.clock.advance(1000)
  const time = new Date(at.clock.nowMs()).toISOString()
  await at.like('a', 2)
  await at.like('a', 3)
  await at.heard(3)
  const handled = async (request: ReplayRequest) => {
    const before = (await at.numbers()).length
    await at.running.replay(request)
    return (await at.numbers()).slice(before)
  }
  assert.deepEqual(await handled({ from: { time } }), [2, 3])
  assert.deepEqual(await handled({ to: { time } }), [1])
  assert.deepEqual(await handled({ from: { offset: 1 }, to: { offset: 2 } }), [2])
  assert.deepEqual(await handled({ from: 'end' }), [])
  await assert.rejects(at.running.replay({ from: { time: 'yesterday' } }), /not an RFC 3339 time/)
  await assert.rejects(
    at.running.replay({ events: ['post.loved'] }),
    /does not handle "post\.loved"/,
  )
})

test('progress is told after each chunk, and a signal ends the replay', async () => {
  await using at = await stage()
  await likes(at, 3)
  const told: ReplayProgress[] = []
  await at.running.replay({}, { told: (progress) => told.push(progress) })
  assert.equal(told.at(-1)?.recordsRead, 3)
  const signal = AbortSignal.abort()
  assert.equal((await at.running.replay({}, { signal })).kind, 'interrupted')
})

test('a range that ends before it begins is refused, or empty where only Kafka knows', async () => {
  await using at = await stage()
  await likes(at, 3)
  const time = new Date(at.clock.nowMs()).toISOString()
  for (const [from, to] of [
    [{ offset: 2 }, { offset: 1 }],
    [{ time }, { time: '2000-01-01T00:00:00Z' }],
    ['end', 'start'],
  ] as const) {
    await assert.rejects(at.running.replay({ from, to }), /would end before it begins/)
  }
  const outcome = await at.running.replay({ from: 'end', to: { offset: 0 } })
  assert.equal(outcome.progress.recordsTotal, 0)
})

test('one that was begun for other events does not go on: it would miss what it passed over', async () => {
  await using at = await stage()
  await likes(at, 2)
  await at.running.replay({ name: 'again', events: ['post.liked'] })
  const other = at.running.replay({ name: 'again', events: ['post.disliked'] })
  await assert.rejects(other, /begun for post\.liked; give one for post\.disliked another name/)
})

test('one whose topic was made anew does not go on at a place that means something else', async () => {
  await using at = await stage()
  await likes(at, 2)
  await at.running.replay({ name: 'again' })
  at.cluster.wipe()
  await assert.rejects(at.running.replay({ name: 'again' }), /"post\.liked" was made anew/)
})

test('a stop does not wait for the next attempt of a handler that fails', async () => {
  const fails = { at: null as number | null }
  await using at = await stage({ fails, attemptsMax: 9 })
  await likes(at, 1)
  fails.at = 1
  const stopping = new AbortController()
  const timers = at.clock.timers
  const replay = at.running.replay({}, { signal: stopping.signal })
  await until('it waits', () => at.clock.timers > timers)
  stopping.abort()
  assert.equal((await replay).kind, 'interrupted')
})

test('a stop also ends a replay that meets no events', async () => {
  await using at = await stage()
  for (let number = 0; number < replayChunkMax + 1; number++) {
    const record = { key: null, value: new TextEncoder().encode('?'), headers: [], timestampMs: 0 }
    at.cluster.append({ topic: 'post.liked', partition: 0 }, [record])
  }
  const stopping = new AbortController()
  const told: number[] = []
  const outcome = await at.running.replay(
    {},
    {
      signal: stopping.signal,
      told({ recordsRead }) {
        told.push(recordsRead)
        stopping.abort()
      },
    },
  )
  assert.deepEqual([outcome.kind, told], ['interrupted', [replayChunkMax]])
})
