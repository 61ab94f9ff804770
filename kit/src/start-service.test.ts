import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { settle, until } from '../test/turns.ts'
import { defineCatalogue } from './catalogue/catalogue.ts'
import { event } from './catalogue/event.ts'
import { readKafkaConfig } from './config/kafka-config.ts'
import { MillraceError, type MillraceErrorCode } from './errors.ts'
import { silentLog } from './log.ts'
import { ManualClock } from './manual-clock.ts'
import { service } from './service.ts'
import { type StartOptions, startService } from './start-service.ts'
import { defineTables } from './store/table-definitions.ts'
import { openMemory } from './transport/memory.ts'
import { MemoryCluster } from './transport/memory-cluster.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-service-'))
after(() => rmSync(directory, { recursive: true }))
let starts = 0

const catalogue = defineCatalogue('tea', {
  'tea.ordered': event({
    version: '1',
    key: ({ guest }) => guest,
    fields: z.object({ guest: z.string() }),
    payload: z.object({}),
  }),
  'tea.served': event({ version: '1', payload: z.object({ to: z.string() }) }),
})

const waiter = service('waiter', { catalogue })

const tables = defineTables<{ cups: { guest: string } }>({
  '001 cups': async (db) => {
    await db.schema.createTable('cups').addColumn('guest', 'text').execute()
  },
})

const kitchen = service('kitchen', { catalogue, tables }).on(
  'tea.ordered',
  async ({ guest }, { db, publish }) => {
    await db.insertInto('cups').values({ guest }).execute()
    await publish('tea.served', { payload: { to: guest } })
  },
)

/** What several services of one test share: time, a Kafka in memory, a directory. */
function world() {
  const clock = new ManualClock()
  const cluster = new MemoryCluster(clock)
  const place = join(directory, String(starts++))
  const options = (): StartOptions => ({
    directory: place,
    env: {},
    transport: openMemory(cluster, clock),
    clock,
    log: silentLog,
  })
  return { clock, cluster, place, options }
}

const hasCode = (code: MillraceErrorCode) => (error: unknown) =>
  error instanceof MillraceError && error.code === code

test("an event goes from one service's transaction through the other's handler", async () => {
  const { clock, options } = world()
  await using dining = await startService(waiter, options())
  await using cooking = await startService(kitchen, options())
  const order = dining.transaction(({ publish }) =>
    publish('tea.ordered', { guest: 'ada', payload: {} }),
  )
  assert.match(await order, /^[0-9a-f-]{36}$/)
  for (let round = 0; round < 20; round += 1) await clock.advance(500)
  assert.deepEqual(await cooking.read.selectFrom('cups').selectAll().execute(), [{ guest: 'ada' }])
  assert.deepEqual(await cooking.deadLetters.list(), [])
  const { kafka, outbox, consumer } = await cooking.health()
  assert.deepEqual([kafka.kind, outbox.unsent, consumer?.trouble], ['met', 0, null])
})

test('a service starts, takes requests and is ready while Kafka is away; later all is sent', async () => {
  const { clock, cluster, options } = world()
  cluster.stop()
  await using dining = await startService(waiter, options())
  assert.equal(dining.ready, true)
  await dining.transaction(({ publish }) => publish('tea.ordered', { guest: 'ada', payload: {} }))
  await clock.advance(1_000)
  const away = await dining.health()
  assert.deepEqual(
    [away.kafka.kind, away.outbox.unsent, away.outbox.oldestUnsentMs],
    ['away', 1, 1_000],
  )
  cluster.start()
  for (let round = 0; round < 20; round += 1) await clock.advance(1_000)
  const { kafka, outbox } = await dining.health()
  assert.deepEqual([kafka.kind, outbox.unsent, outbox.oldestUnsentMs], ['met', 0, null])
})

test('with KAFKA_ENABLED=false a service is ready, listens to nothing and keeps what it says', async () => {
  const { options } = world()
  const { transport, ...rest } = options()
  await using cooking = await startService(kitchen, {
    ...rest,
    kafka: readKafkaConfig({ KAFKA_ENABLED: 'false' }),
  })
  await cooking.transaction(({ publish }) => publish('tea.served', { payload: { to: 'ada' } }))
  await settle()
  const { kafka, outbox, consumer } = await cooking.health()
  assert.deepEqual(
    [cooking.ready, kafka.kind, outbox.unsent, consumer],
    [true, 'disabled', 1, null],
  )
  assert.deepEqual(await cooking.deadLetters.list(), [])
  await assert.rejects(cooking.deadLetters.redrive({}), hasCode('dead-letter-unknown'))
  await transport?.[Symbol.asyncDispose]()
})

test('a second start of a service says who has its database; the next service starts', async () => {
  const { options } = world()
  await using first = await startService(waiter, options())
  assert.equal(first.ready, true)
  await assert.rejects(startService(waiter, options()), hasCode('store-locked'))
  await using other = await startService(kitchen, options())
  assert.equal(other.ready, true)
})

test('a server that does not start takes down what was started, and nothing stays locked', async () => {
  const { clock, options } = world()
  const stopped: string[] = []
  const broken = waiter
    .serve(async () => ({ stop: async () => void stopped.push('first') }))
    .serve(async () => {
      throw new MillraceError('port-in-use', 'port 1 is taken')
    })
  await assert.rejects(startService(broken, options()), hasCode('port-in-use'))
  assert.deepEqual(stopped, ['first'])
  assert.equal(clock.timers, 0)
  await using again = await startService(waiter, options())
  assert.equal(again.ready, true)
})

test('a stop ends the servers first, so that what they still say is sent, and is safe twice', async () => {
  const { clock, cluster, options } = world()
  const seen: unknown[] = []
  const serving = waiter.serve(async (running) => ({
    async stop() {
      seen.push(running.ready)
      await running.transaction(({ publish }) =>
        publish('tea.ordered', { guest: 'late', payload: {} }),
      )
    },
  }))
  const running = await startService(serving, options())
  await until('the topics are made', () => cluster.topicId('tea.ordered') !== null)
  await Promise.all([running.stop(), running.stop()])
  assert.deepEqual(seen, [false])
  const ends = [0, 1, 2, 3].map((partition) =>
    cluster.endOffset({ topic: 'tea.ordered', partition }),
  )
  assert.equal(
    ends.reduce((sum, end) => sum + end),
    1n,
  )
  assert.equal(clock.timers, 0)
  await assert.rejects(
    running.transaction(async () => {}),
    hasCode('service-stopped'),
  )
})

test("what a service's servers listen on is there for its host", async () => {
  const { options } = world()
  const serving = waiter.serve(async ({ port, env }) => ({
    urls: [`http://${env['HOST']}:${port}`],
    stop: async () => {},
  }))
  await using running = await startService(serving, {
    ...options(),
    port: 8084,
    env: { HOST: 'tea' },
  })
  assert.deepEqual(
    running.servers.flatMap(({ urls }) => urls),
    ['http://tea:8084'],
  )
})

test('variables that contradict each other keep a service from starting, each with its line', async () => {
  const { options } = world()
  const { transport, ...rest } = options()
  const started = startService(waiter, {
    ...rest,
    env: { KAFKA_SSL: 'maybe', KAFKA_ENABLED: 'no' },
  })
  await assert.rejects(started, (error) => {
    assert(error instanceof MillraceError)
    assert.deepEqual([error.code, error.issues.length], ['config-invalid', 2])
    return true
  })
  await transport?.[Symbol.asyncDispose]()
})

test('resources are opened before all else of a service, and disposed of last', async () => {
  const { options, clock } = world()
  const steps: string[] = []
  const definition = service('waiter', { catalogue })
    .with(async ({ env, signal }) => {
      steps.push('opened')
      signal.addEventListener('abort', () => steps.push('told to stop'))
      const guest = env['GUEST'] ?? 'nobody'
      return { guest, [Symbol.asyncDispose]: async () => void steps.push('disposed of') }
    })
    .on('tea.served', async ({ payload }, { resources }) => {
      steps.push(`${payload.to} for ${resources.guest}`)
    })
    .serve(async ({ resources }) => {
      steps.push(`serves ${resources.guest}`)
      return { stop: async () => void steps.push('stopped') }
    })
  const running = await startService(definition, { ...options(), env: { GUEST: 'ada' } })
  assert.equal(running.resources.guest, 'ada')
  await running.transaction(({ publish }) => publish('tea.served', { payload: { to: 'tea' } }))
  for (let round = 0; round < 20; round += 1) await clock.advance(500)
  await running.stop()
  assert.deepEqual(steps, [
    'opened',
    'serves ada',
    'tea for ada',
    'told to stop',
    'stopped',
    'disposed of',
  ])
})

test('two starts of one definition have resources of their own', async () => {
  const definition = service('waiter', { catalogue }).with(() => ({ tray: [] }))
  await using one = await startService(definition, world().options())
  await using other = await startService(definition, world().options())
  assert.notEqual(one.resources.tray, other.resources.tray)
})

test('what was opened is disposed of where the start fails after it, and where it fails itself', async () => {
  const { options } = world()
  const steps: string[] = []
  const opened = { [Symbol.dispose]: () => void steps.push('disposed of') }
  const failing = service('waiter', { catalogue })
    .with(() => opened)
    .serve(() => Promise.reject(new Error('no port')))
  await assert.rejects(startService(failing, options()), /no port/)
  assert.deepEqual(steps, ['disposed of'])
  const closed = service('waiter', { catalogue }).with(() => Promise.reject(new Error('no pool')))
  await assert.rejects(startService(closed, world().options()), /no pool/)
})

test('resources are opened once, and first', () => {
  const open = () => ({})
  const serving = waiter.serve(async () => ({ stop: async () => {} }))
  assert.throws(() => serving.with(open), hasCode('definition-invalid'))
  assert.throws(() => waiter.with(open).with(open), hasCode('definition-invalid'))
})
