import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  defineCatalogue,
  event,
  MemoryCluster,
  openMemory,
  projection,
  service,
  silentLog,
  startService,
  systemClock,
} from '@millrace/kit'
import { z } from 'zod'
import { openTestDatabase, type TestDatabase } from './servers/postgres-database.ts'
import { serverVariable } from './servers/server-variables.ts'
import { until } from './work-service.ts'

const catalogue = defineCatalogue(
  'blog',
  {
    'post.liked': event({
      version: '1',
      key: ({ payload }) => payload,
      payload: z.string(),
    }),
  },
  { partitions: 4 },
)

interface Tables {
  likes: { post: string; count: number }
}

/** Its service has the same name on every database, and its tables are in a schema of that name. */
const likes = (version = 1, weight = 1) =>
  service<typeof catalogue, Tables>('blog', { catalogue }).projection(
    projection<typeof catalogue, Tables>('likes', {
      catalogue,
      version,
      tables: ['likes'],
      create: (db) =>
        db.schema
          .createTable('likes')
          .addColumn('post', 'text', (column) => column.notNull())
          .addColumn('count', 'integer', (column) => column.notNull())
          .addPrimaryKeyConstraint('likes_key', ['post'])
          .execute(),
    }).on('post.liked', async ({ payload: post }, db) => {
      await db
        .insertInto('likes')
        .values({ post, count: weight })
        .onConflict((conflict) =>
          conflict
            .constraint('likes_key')
            .doUpdateSet((row) => ({ count: row('likes.count', '+', weight) })),
        )
        .execute()
    }),
  )

let database: TestDatabase
before(async () => {
  database = await openTestDatabase(serverVariable('MILLRACE_POSTGRES'))
})
after(() => database[Symbol.asyncDispose]())

/** One instance of the service; all of a test share one Kafka in memory. */
async function startBlog(cluster: MemoryCluster, definition = likes()) {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-projection-'))
  const running = await startService(definition, {
    directory,
    transport: openMemory(cluster, systemClock),
    env: { DATABASE_URL: database.url },
    log: silentLog,
  })
  return {
    running,
    like: (post: string) =>
      running.transaction(({ publish }) => publish('post.liked', { payload: post })),
    async shown() {
      const rows = await running.read.selectFrom('likes').selectAll().orderBy('post').execute()
      return rows.map(({ post, count }) => `${post} ${count}`).join(', ')
    },
    async [Symbol.asyncDispose]() {
      await running.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

test('instances that start at once share a projection, which outlives each, and is rebuilt', async () => {
  using cluster = new MemoryCluster(systemClock)
  await using stack = new AsyncDisposableStack()
  const started = await Promise.all([1, 2, 3].map(() => startBlog(cluster)))
  for (const one of started) stack.use(one)
  const [first, second, third] = started
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  for (let turn = 0; turn < 20; turn += 1) await started[turn % 3]?.like(turn % 2 ? 'a' : 'b')
  await until(async () => (await third.shown()) === 'a 10, b 10')
  // Whoever asks need not be the one that writes it, and it goes on while its writer leaves.
  await second.running.projections.rebuild('likes')
  await first.running.stop()
  await third.like('a')
  await second.running.stop()
  await third.like('b')
  await until(async () => (await third.shown()) === 'a 11, b 11')
  await until(async () => third.running.projections.status()[0]?.serving === 2)
  assert.equal(await third.shown(), 'a 11, b 11')
})

test('a newer version is shown once it is built, while an instance of the older one runs', async () => {
  using cluster = new MemoryCluster(systemClock)
  await using older = await startBlog(cluster)
  for (const post of ['c', 'd', 'c']) await older.like(post)
  await until(async () => (await older.shown()).endsWith('c 2, d 1'))
  await using newer = await startBlog(cluster, likes(2, 10))
  await older.running.stop()
  await until(async () => (await newer.shown()).endsWith('c 20, d 10'))
})
