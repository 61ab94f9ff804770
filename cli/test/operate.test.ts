// A service on an embedded broker, operated from the command line as from another machine.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { defineCatalogue, defineTables, event, service, startService } from '@millrace/kit'
import { z } from 'zod'
import { runCommandLine } from '../src/command-line.ts'
import { commands } from '../src/commands.ts'
import { fakeTerminal } from './fake-terminal.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { eventually } from './todo-host.ts'

const catalogue = defineCatalogue(
  'orders',
  {
    'order.placed': event({
      version: '1.0',
      key: ({ payload }) => payload.order,
      payload: z.object({ order: z.string(), pieces: z.int() }),
    }),
  },
  { partitions: 1 },
)

interface Tables {
  packed: { order: string; pieces: number }
}

const tables = defineTables<Tables>({
  '001 packed': (db) =>
    db.schema
      .createTable('packed')
      .addColumn('order', 'text')
      .addColumn('pieces', 'integer')
      .execute(),
})

/** Packs orders; what has no pieces it cannot. */
async function stage() {
  const directory = temporaryDirectory()
  const broker = await startBroker()
  const depot = service<typeof catalogue, Tables>('depot', { catalogue, tables }).on(
    'order.placed',
    async ({ payload }, { db }) => {
      if (payload.pieces === 0) throw new Error(`order "${payload.order}" has no pieces`)
      await db.insertInto('packed').values(payload).execute()
    },
    { retry: { attemptsMax: 1 } },
  )
  const env = { KAFKA_BROKERS: broker.bootstrap, KAFKA_LOG_LEVEL: 'error' }
  const running = await startService(depot, { directory: directory.path, env })
  const run = async (...words: readonly string[]) => {
    const terminal = fakeTerminal({ env })
    const code = await runCommandLine(words, commands, terminal)
    return { code, out: terminal.printed.join('\n'), notes: terminal.notes.join('\n') }
  }
  const place = (order: string, pieces: number) =>
    running.transaction(({ publish }) => publish('order.placed', { payload: { order, pieces } }))
  const packed = async () =>
    (await running.read.selectFrom('packed').selectAll().execute()).map(({ order }) => order)
  const parked = async (count: number) => {
    await eventually(
      async () => (await run('dead-letters', '--json')).out.split('\n').length === count,
    )
    await eventually(async () => (await running.deadLetters.list()).length === count)
  }
  return {
    run,
    running,
    place,
    packed,
    parked,
    async [Symbol.asyncDispose]() {
      await running.stop()
      await broker[Symbol.asyncDispose]()
      directory[Symbol.dispose]()
    },
  }
}

test('dead letters are grouped, shown, tried, edited and redriven', async () => {
  await using it = await stage()
  await it.place('a', 0)
  await it.place('b', 0)
  await it.parked(2)

  const groups = await it.run('dead-letters', '--by', 'reason')
  assert.match(
    groups.out,
    /^letters +service +since +such as +what\n +2 +depot .* order … has no pieces$/,
  )
  const [letter] = (await it.running.deadLetters.list()).filter(({ key }) => key === 'a')
  const id = letter?.id ?? ''
  const shown = await it.run('dead-letters', 'show', id)
  assert.match(shown.out, /reason +order "a" has no pieces\n/)
  assert.match(shown.out, /payload +\{\n +"order": "a",\n +"pieces": 0\n\}/)

  assert.deepEqual((await it.run('redrive', '--like', id, '--dry-run')).out.split('\n'), [
    '2 dead letters of depot would be tried again',
    '  2 × order.placed: order … has no pieces',
  ])
  assert.deepEqual((await it.run('redrive', '--all', '--dry-run', '--run')).out.split('\n'), [
    'depot: 0 would succeed now, 2 would fail',
    '  2 × order … has no pieces',
  ])

  const wrong = await it.run('edit', id, '--payload', '{"order":"b","pieces":1}')
  assert.equal(wrong.code, 1)
  assert.match(wrong.notes, /depot refuses: the edit would change its key from "a" to "b"/)
  const edited = await it.run('edit', id, '--payload', '{"order":"a","pieces":1}', '--redrive')
  assert.deepEqual(edited, {
    code: 0,
    out: `${id} of depot is edited\nit is tried again`,
    notes: '',
  })
  await eventually(async () => (await it.packed()).length === 1)
  assert.deepEqual(await it.packed(), ['a'])
})

test('a handler is paused and resumed, and a replay is watched to its end', async () => {
  await using it = await stage()
  await it.place('a', 1)
  await eventually(async () => (await it.packed()).length === 1)
  const paused = await it.run('pause', 'depot', 'order.placed')
  assert.deepEqual(paused, { code: 0, out: '"order.placed" of depot is paused', notes: '' })
  const again = await it.run('pause', 'depot', 'order.placed')
  assert.equal(again.notes, 'millrace: depot refuses: "order.placed" is paused already')
  await eventually(async () => (await it.run('services')).out.includes('was paused by'))
  assert.equal((await it.run('resume', 'depot', 'order.placed')).code, 0)

  const replayed = await it.run('replay', 'depot', '--into', 'shadow')
  assert.match(
    replayed.out,
    /^depot: 1 event handled, 0 handled under this name before, 0 effects suppressed$/,
  )
  const unknown = await it.run('replay', 'depot', '--events', 'order.lost')
  assert.match(unknown.notes, /depot stopped at 0 of 0: service "depot" does not handle/)
  const none = await it.run('rebuild', 'depot', 'stock')
  assert.match(none.notes, /depot refuses: depot has no projection "stock", but none at all/)
  const jobs = await it.run('jobs')
  assert.match(jobs.out, /replay .* done\n/)
  assert.match(jobs.out, /rebuild .* refused: depot has no projection/)
})
