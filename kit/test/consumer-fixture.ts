import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Generated } from 'kysely'
import { z } from 'zod'
import { defineCatalogue, type EventOf } from '../src/catalogue/catalogue.ts'
import { event } from '../src/catalogue/event.ts'
import { writeHeaders } from '../src/catalogue/event-headers.ts'
import { flatJson } from '../src/catalogue/flat-json.ts'
import { Effects } from '../src/effect.ts'
import type { HandlerContext, HandlerOptions } from '../src/handler.ts'
import { type RunningConsumer, startConsumer } from '../src/inbox/consumer.ts'
import { transactionHeldMsMax } from '../src/limits.ts'
import { type Log, silentLog } from '../src/log.ts'
import { ManualClock } from '../src/manual-clock.ts'
import { noObserver, type Observer } from '../src/observe/observer.ts'
import type { DeliveryTools } from '../src/outbox/handler-context.ts'
import { Outbox } from '../src/outbox/outbox.ts'
import { Relay } from '../src/outbox/relay.ts'
import { service } from '../src/service.ts'
import { openSqlite } from '../src/store/sqlite.ts'
import { defineTables } from '../src/store/table-definitions.ts'
import { viewTables } from '../src/store/table-view.ts'
import { openMemory } from '../src/transport/memory.ts'
import { MemoryCluster } from '../src/transport/memory-cluster.ts'
import type { OutgoingRecord } from '../src/transport/transport.ts'
import { settle } from './turns.ts'

const step = event({
  version: '1.0',
  stream: 'task',
  key: ({ taskId }) => taskId,
  fields: z.object({ taskId: z.string() }),
  payload: z.object({ step: z.string() }),
})

/** Two topics of one stream, as the todo system has them, and one without keys. */
export const catalogue = defineCatalogue(
  'work',
  {
    'task.updated': step,
    'task.completed': step,
    ping: event({ version: '1.0', payload: z.object({ step: z.string() }) }),
  },
  { format: flatJson, partitions: 2 },
)

export type StepName = 'task.updated' | 'task.completed'
type Step = EventOf<typeof catalogue, StepName>
export interface StepTables {
  done: DoneRow
}
export type StepContext = HandlerContext<typeof catalogue, StepTables>
export type Handle = (event: Step, context: StepContext) => Promise<void>

/** What the handlers of a test wrote, in order. */
interface DoneRow {
  number: Generated<number>
  task: string
  step: string
}

const tables = defineTables<StepTables>({
  '001 done': async (db) => {
    await db.schema
      .createTable('done')
      .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('task', 'text', (column) => column.notNull())
      .addColumn('step', 'text', (column) => column.notNull())
      .execute()
  },
})

/** Writes down that the step was done: a handler's ordinary work. */
export const writeDown: Handle = async ({ taskId, payload }, { db }) => {
  await db.insertInto('done').values({ task: taskId, step: payload.step }).execute()
}

const worker = service('worker', { catalogue, tables })
type Worker = typeof worker

/** Listens to both topics with one handler. */
function listening(options: ConsumerFixtureOptions) {
  const { handle = writeDown, handlerOptions = {}, completedOptions = handlerOptions } = options
  return (it: Worker): Worker =>
    it.on('task.updated', handle, handlerOptions).on('task.completed', handle, completedOptions)
}

export interface ConsumerFixtureOptions {
  readonly handle?: Handle
  /** In place of all of the handlers. */
  readonly listen?: (it: Worker) => Worker
  readonly handlerOptions?: HandlerOptions
  /** Of the second topic's handler, where they are others. */
  readonly completedOptions?: HandlerOptions
  /** Of an earlier life of the same service: its database, and its Kafka. */
  readonly earlier?: EarlierLife
  readonly log?: Log
  readonly observer?: Observer
}

interface EarlierLife {
  readonly directory: string
  readonly cluster: MemoryCluster
  readonly clock: ManualClock
}

/** A service on a cluster in memory, with time that the test moves. */
export async function consumerFixture(options: ConsumerFixtureOptions) {
  const clock = options.earlier?.clock ?? new ManualClock()
  const cluster = options.earlier?.cluster ?? new MemoryCluster(clock)
  const directory = options.earlier?.directory ?? mkdtempSync(join(tmpdir(), 'millrace-consumer-'))
  const definition = (options.listen ?? listening(options))(worker)
  const { migrations } = definition
  const file = join(directory, 'worker.sqlite')
  const store = await openSqlite({ file, owner: 'worker', migrations, clock })
  const outbox = new Outbox(1_000_000)
  await outbox.recount(store.read)
  const transport = openMemory(cluster, clock)
  const effects = new Effects({ store, group: definition.group, clock })
  const { log = silentLog, observer = noObserver } = options
  const seams = { clock, random: seeded(7), env: {}, log, observer }
  const { signal } = new AbortController()
  const resources = await definition.resources.open({ ...seams, signal })
  const parts = { service: definition, store, outbox, effects, resources }
  const tools: DeliveryTools = { ...parts, ...seams }
  const relay = new Relay({ ...tools, transport })
  relay.start()
  const consumer: RunningConsumer = await startConsumer({ ...tools, transport })
  const producer = openMemory(cluster, clock)
  await producer.ensureTopics(catalogue.topics)
  let records = 0

  return {
    clock,
    cluster,
    consumer,
    directory,
    producer,
    store,
    /** Puts a step on its topic, as another service would. Returns its event id. */
    async send(name: StepName, taskId: string, stepName: string, eventId?: string) {
      records += 1
      const id = eventId ?? `${taskId}-${stepName}-${records}`
      const timestamp = new Date(clock.nowMs()).toISOString()
      const value = { eventType: name, taskId, timestamp, payload: { step: stepName } }
      const record: OutgoingRecord = {
        key: Buffer.from(taskId),
        value: Buffer.from(JSON.stringify(value)),
        headers: writeHeaders({ id, type: name }),
        timestampMs: clock.nowMs(),
      }
      await producer.send({ topic: name, partition: taskId.length % 2 }, [record])
      return id
    },
    /** What was done, as `task step`, in the order of the commits. */
    async done(): Promise<readonly string[]> {
      const db = viewTables<StepTables>(store.read)
      const rows = await db.selectFrom('done').selectAll().orderBy('number').execute()
      return rows.map(({ task, step: stepName }) => `${task} ${stepName}`)
    },
    /** Waits until so many steps were done; time stands still meanwhile. */
    async untilDone(count: number): Promise<readonly string[]> {
      for (let turn = 0; turn < 500; turn += 1) {
        const done = await this.done()
        if (done.length >= count) return done
        await settle()
      }
      throw new Error(`${count} steps were never done, but only ${(await this.done()).join(', ')}`)
    },
    async committed(name: StepName): Promise<readonly (bigint | null)[]> {
      const lags = await producer.lag('worker', [name])
      return lags.map(({ committed }) => committed)
    },
    /** As `kill -9`: nothing is finished and nothing is said; the files and Kafka stay. */
    async crash() {
      const ends = [relay.stop(), transport[Symbol.asyncDispose](), store[Symbol.asyncDispose]()]
      // A handler that holds the writer would hold up the test, as it cannot hold up a crash.
      await clock.advance(transactionHeldMsMax)
      await Promise.all(ends)
    },
    async [Symbol.asyncDispose]() {
      await consumer.stop()
      await relay.stop()
      await transport[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      if (options.earlier === undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Chance that is the same in every run: a linear congruential generator of 32 bits. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
