import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { settle } from '../../test/turns.ts'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { projectionPollMs, projectionTroubleMs } from '../limits.ts'
import { silentLog } from '../log.ts'
import { ManualClock } from '../manual-clock.ts'
import { service } from '../service.ts'
import { startService } from '../start-service.ts'
import { openMemory } from '../transport/memory.ts'
import { MemoryCluster } from '../transport/memory-cluster.ts'
import type { Transport } from '../transport/transport.ts'
import { projection } from './projection.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-projection-'))
after(() => rmSync(directory, { recursive: true }))
let stages = 0

const catalogue = defineCatalogue(
  'blog',
  {
    'post.liked': event({
      version: '1.0',
      key: ({ payload }) => payload.post,
      payload: z.object({ post: z.string(), by: z.string() }),
    }),
  },
  { partitions: 2 },
)

interface Tables {
  post_counts: { post: string; likes: number }
}

interface Version {
  readonly version?: number
  /** What a like counts. */
  readonly weight?: number
  readonly failsAt?: { by: string | null }
}

const counts = ({ version = 1, weight = 1, failsAt = { by: null } }: Version = {}) =>
  projection<typeof catalogue, Tables>('post-counts', {
    catalogue,
    version,
    tables: ['post_counts'],
    async create(db) {
      await db.schema
        .createTable('post_counts')
        .addColumn('post', 'text', (column) => column.notNull())
        .addColumn('likes', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('post_counts_key', ['post'])
        .execute()
      await db.schema.createIndex('post_counts_likes').on('post_counts').column('likes').execute()
    },
  }).on('post.liked', async ({ payload: { post, by } }, db) => {
    if (by === failsAt.by) throw new Error(`${by} is odd`)
    await db
      .insertInto('post_counts')
      .values({ post, likes: weight })
      .onConflict((conflict) =>
        conflict.column('post').doUpdateSet((row) => ({
          likes: row('post_counts.likes', '+', weight),
        })),
      )
      .execute()
  })

/** One blog, whose service can be stopped and started with another projection. */
function blog() {
  const clock = new ManualClock()
  const cluster = new MemoryCluster(clock)
  const place = join(directory, String(stages++))
  const open = async (made = counts(), transport = openMemory(cluster, clock)) => {
    const definition = service<typeof catalogue, Tables>('blog', { catalogue }).projection(made)
    const running = await startService(definition, {
      directory: place,
      env: {},
      transport,
      clock,
      log: silentLog,
      announces: false,
    })
    const like = (post: string, by = 'ann') =>
      running.transaction(({ publish }) => publish('post.liked', { payload: { post, by } }))
    const likes = async () => {
      const rows = await running.read
        .selectFrom('post_counts')
        .selectAll()
        .orderBy('post')
        .execute()
      return rows.map(({ post, likes: count }) => `${post} ${count}`).join(', ')
    }
    /** Time goes on until the projection is as expected. */
    const shows = async (expected: string) => {
      for (let turn = 0; (await likes()) !== expected; turn++) {
        assert.ok(turn < 100, `it shows ${await likes()}, not ${expected}`)
        await clock.advance(projectionPollMs)
        await settle()
      }
    }
    const [status] = running.projections.status()
    assert.ok(status !== undefined)
    const statusNow = () => running.projections.status()[0]
    return { ...running, like, likes, shows, statusNow, [Symbol.asyncDispose]: running.stop }
  }
  return { clock, cluster, open }
}

test('what events say is counted once, also over a restart', async () => {
  const at = blog()
  {
    await using running = await at.open()
    assert.equal(await running.likes(), '')
    for (const post of ['a', 'b', 'a']) await running.like(post)
    await running.shows('a 2, b 1')
  }
  await using running = await at.open()
  await running.like('a')
  await running.shows('a 3, b 1')
})

test('while it is rebuilt the old one is shown, and goes on; then the new one is', async () => {
  const at = blog()
  await using running = await at.open()
  for (const post of ['a', 'b', 'a']) await running.like(post)
  await running.shows('a 2, b 1')
  await running.projections.rebuild('post-counts')
  assert.equal(await running.likes(), 'a 2, b 1')
  await running.like('b')
  await running.shows('a 2, b 2')
  for (let turn = 0; running.statusNow()?.building !== null; turn++) {
    assert.ok(turn < 100, 'it was never shown')
    await at.clock.advance(projectionPollMs)
    await settle()
  }
  assert.equal(running.statusNow()?.serving, 2)
  assert.equal(await running.likes(), 'a 2, b 2')
  await running.like('a')
  await running.shows('a 3, b 2')
})

test('another version is built from the start, and the tables of the old one are gone', async () => {
  const at = blog()
  {
    await using running = await at.open()
    for (const post of ['a', 'b', 'a']) await running.like(post)
    await running.shows('a 2, b 1')
  }
  await using running = await at.open(counts({ version: 2, weight: 10 }))
  assert.equal(await running.likes(), 'a 2, b 1')
  await running.shows('a 20, b 10')
  const tables = await running.read.introspection.getTables()
  const names = tables.map(({ name }) => name).filter((name) => name.startsWith('post_counts'))
  assert.deepEqual(names.toSorted(), ['post_counts', 'post_counts__g2'])
})

test('a rebuild that is asked for while another is about to be shown leaves what is read whole', async () => {
  const at = blog()
  const memory = openMemory(at.cluster, at.clock)
  let reads = 0
  let interfere = async () => {}
  const transport: Transport = {
    ...memory,
    async readFrom(place, ...asked) {
      const records = await memory.readFrom(place, ...asked)
      if (place.partition === 1) await interfere()
      return records
    },
  }
  await using running = await at.open(counts(), transport)
  // Keys of partition 0: so the reading of partition 1 is the last thing before it is shown.
  for (const post of ['b', 'e', 'b']) await running.like(post)
  await running.shows('b 2, e 1')
  assert.equal(at.cluster.endOffset({ topic: 'post.liked', partition: 1 }), 0n)
  await running.projections.rebuild('post-counts')
  interfere = async () => {
    reads += 1
    // The first is of the generation that is shown.
    if (reads === 2) await running.projections.rebuild('post-counts')
  }
  for (let turn = 0; running.statusNow()?.serving !== 3; turn++) {
    assert.ok(turn < 100, 'it was never shown')
    assert.equal(await running.likes(), 'b 2, e 1')
    await at.clock.advance(projectionPollMs)
    await settle()
  }
  assert.equal(await running.likes(), 'b 2, e 1')
})

test('what a newer version is building is not written by the code of an older one', async () => {
  const at = blog()
  {
    await using running = await at.open()
    await running.like('a')
    await running.shows('a 1')
  }
  {
    await using running = await at.open(counts({ version: 2, failsAt: { by: 'ann' } }))
    await at.clock.advance(projectionPollMs)
    await settle()
    assert.equal(running.statusNow()?.building, 2)
  }
  await using running = await at.open()
  await running.like('a')
  await running.shows('a 2')
  await at.clock.advance(projectionPollMs)
  await settle()
  assert.equal(running.statusNow()?.serving, 1)
})

test('an event that fails is waited at, with its place, and nothing is lost', async () => {
  const at = blog()
  const failsAt = { by: 'eve' as string | null }
  await using running = await at.open(counts({ failsAt }))
  await running.like('a')
  await running.like('a', 'eve')
  await running.like('a')
  await running.shows('a 1')
  await at.clock.advance(projectionTroubleMs)
  await settle()
  assert.match(running.statusNow()?.trouble ?? '', /^post\.liked\/\d at 1: eve is odd$/)
  failsAt.by = null
  await running.shows('a 3')
})

test('an event that is on its topic twice is counted once', async () => {
  const at = blog()
  await using running = await at.open()
  await running.like('a')
  await running.shows('a 1')
  const [partition = 0] = [0, 1].filter(
    (one) => at.cluster.endOffset({ topic: 'post.liked', partition: one }) > 0n,
  )
  const place = { topic: 'post.liked', partition }
  at.cluster.append(place, at.cluster.read(place, 0n, 1))
  await running.like('a')
  await running.shows('a 2')
})

test('two projections cannot have one table', () => {
  const blogs = service('blog', { catalogue }).projection(counts())
  assert.throws(() => blogs.projection(counts()), /has "post-counts", which another projection has/)
})
