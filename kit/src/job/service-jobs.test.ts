// Replays and rebuilds that are asked for by command, on a whole service.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { asked, asks } from '../../test/asking.ts'
import { settle } from '../../test/turns.ts'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { silentLog } from '../log.ts'
import { ManualClock } from '../manual-clock.ts'
import { projection } from '../projection/projection.ts'
import { service } from '../service.ts'
import { startService } from '../start-service.ts'
import { defineTables } from '../store/table-definitions.ts'
import { openMemory } from '../transport/memory.ts'
import { MemoryCluster } from '../transport/memory-cluster.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-jobs-'))
after(() => rmSync(directory, { recursive: true }))
let stages = 0

const catalogue = defineCatalogue(
  'post',
  {
    'post.liked': event({
      version: '1.0',
      key: ({ payload }) => payload.post,
      payload: z.object({ post: z.string() }),
    }),
  },
  { partitions: 2 },
)

interface Tables {
  likes: { post: string }
  post_counts: { post: string }
}

const tables = defineTables<Tables>({
  '001 likes': (db) => db.schema.createTable('likes').addColumn('post', 'text').execute(),
})

const counts = projection<typeof catalogue, Tables>('post-counts', {
  catalogue,
  version: 1,
  tables: ['post_counts'],
  create: (db) => db.schema.createTable('post_counts').addColumn('post', 'text').execute(),
}).on('post.liked', async ({ payload }, db) => {
  await db.insertInto('post_counts').values(payload).execute()
})

/** A service that writes likes down, unless it is told to fail. */
async function stage() {
  const clock = new ManualClock()
  const cluster = new MemoryCluster(clock)
  const state = { fails: false, place: join(directory, String(stages++)) }
  const definition = service<typeof catalogue, Tables>('blog', { catalogue, tables })
    .on(
      'post.liked',
      async ({ payload }, { db }) => {
        if (state.fails) throw new Error('likes are closed')
        await db.insertInto('likes').values(payload).execute()
      },
      { retry: { attemptsMax: 1 } },
    )
    .projection(counts)
  const options = { directory: state.place, env: {}, clock, log: silentLog, announces: false }
  const running = await startService(definition, {
    ...options,
    transport: openMemory(cluster, clock),
  })
  const likes = async () =>
    (await running.read.selectFrom('likes').selectAll().execute()).map(({ post }) => post)
  const asking = { transport: openMemory(cluster, clock), clock, service: 'blog' }
  for (const post of ['a', 'b']) {
    await running.transaction(({ publish }) => publish('post.liked', { payload: { post } }))
  }
  for (let turn = 0; (await likes()).length < 2; turn += 1) {
    assert.ok(turn < 1_000, 'the likes were never heard')
    await settle()
    await clock.advance(100)
  }
  return {
    state,
    running,
    asking,
    likes,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}

test('a replay is begun, and says in the end what it did', async () => {
  await using it = await stage()
  const question = await asks(it.asking, { action: 'replay', request: {} })
  const outcome = await question.ended()
  assert.equal(question.told[0]?.kind, 'begun')
  assert.equal(outcome.kind === 'done' ? outcome.report?.['handled'] : outcome, 2)
  assert.deepEqual((await it.likes()).toSorted(compare), ['a', 'a', 'b', 'b'])
})

test('a replay that fails stops there, and goes on under the name that it tells', async () => {
  await using it = await stage()
  it.state.fails = true
  const stopped = await asked(it.asking, { action: 'replay', request: { name: 'again' } })
  assert.match('reason' in stopped ? stopped.reason : '', /likes are closed; mend it, .*name again/)
  it.state.fails = false
  const outcome = await asked(it.asking, { action: 'replay', request: { name: 'again' } })
  assert.equal(outcome.kind, 'done')
  assert.deepEqual((await it.likes()).toSorted(compare), ['a', 'a', 'b', 'b'])
})

test('a replay of what the service does not handle is stopped with what it handles', async () => {
  await using it = await stage()
  const request = { events: ['post.lost'] }
  const outcome = await asked(it.asking, { action: 'replay', request })
  assert.match('reason' in outcome ? outcome.reason : '', /does not handle "post.lost", but/)
})

test('a rebuild ends when the projection that was built is read', async () => {
  await using it = await stage()
  const before = it.running.projections.status()[0]?.serving
  const outcome = await asked(it.asking, { action: 'rebuild', projection: 'post-counts' })
  assert.equal(outcome.kind === 'done' ? outcome.report?.['serving'] : outcome, (before ?? 0) + 1)
  const health = await it.running.health()
  assert.deepEqual(
    health.projections.map(({ name, building }) => [name, building]),
    [['post-counts', null]],
  )
  const rows = await it.running.read.selectFrom('post_counts').selectAll().execute()
  assert.deepEqual(rows.map(({ post }) => post).toSorted(compare), ['a', 'b'])
})

function compare(one: string, other: string): number {
  return one < other ? -1 : 1
}
