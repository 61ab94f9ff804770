import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BatchHandler,
  type BatchOptions,
  defineCatalogue,
  defineTables,
  type EventOf,
  event,
  flatJson,
  type HandlerContext,
  type HandlerOptions,
  headerNames,
  type OutgoingRecord,
  service,
  silentLog,
  startService,
  type Transport,
} from '@millrace/kit'
import type { Generated } from 'kysely'
import { z } from 'zod'
import type { StoreOf } from './postgres-stores.ts'

const step = event({
  version: '1.0',
  stream: 'task',
  key: ({ taskId }) => taskId,
  fields: z.object({ taskId: z.string() }),
  payload: z.object({ step: z.string() }),
})

/** Topics with names of their own, so that every test may share one Kafka. */
export function workCatalogue(name: string) {
  const updated = `${name}.updated`
  const completed = `${name}.completed`
  const catalogue = defineCatalogue(
    'work',
    {
      'task.updated': { ...step, topic: updated },
      'task.completed': { ...step, topic: completed },
    },
    { format: flatJson, partitions: 2 },
  )
  return { catalogue, updated, completed }
}

export type Work = ReturnType<typeof workCatalogue>
type StepName = 'task.updated' | 'task.completed'
export type WorkContext = HandlerContext<Work['catalogue'], WorkTables>
export type WorkHandler = (
  event: EventOf<Work['catalogue'], StepName>,
  context: WorkContext,
) => Promise<void>

/** What the handlers of a test wrote, in order. */
export interface WorkTables {
  done: { number: Generated<number>; event: string; task: string; step: string }
}

const tables = defineTables<WorkTables>({
  '001 done': async (db) => {
    await db.schema
      .createTable('done')
      .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('event', 'text', (column) => column.notNull())
      .addColumn('task', 'text', (column) => column.notNull())
      .addColumn('step', 'text', (column) => column.notNull())
      .execute()
  },
})

/** A handler's ordinary work. */
export const writeDown: WorkHandler = async ({ eventId, taskId, payload }, { db }) => {
  await db.insertInto('done').values({ event: eventId, task: taskId, step: payload.step }).execute()
}

export type WorkBatch = BatchHandler<Work['catalogue'], StepName, WorkTables>

/** A batch handler's ordinary work. */
export const writeAllDown: WorkBatch = async (events, { db }) => {
  const rows = events.map(({ eventId, taskId, payload }) => {
    return { event: eventId, task: taskId, step: payload.step }
  })
  await db.insertInto('done').values(rows).execute()
}

export interface WorkerOptions {
  readonly work: Work
  readonly group: string
  readonly transport: Transport
  readonly handle: WorkHandler
  /** In place of `handle`, for both topics. */
  readonly batch?: { readonly handle: WorkBatch; readonly options: BatchOptions }
  readonly handlerOptions?: HandlerOptions
  /** The database of an earlier life. Default: a new one, removed with the worker. */
  readonly directory?: string
  /** Where its rows are. Default: a SQLite file in its directory. */
  readonly storeOf?: StoreOf
}

/** A service that listens to both topics. */
export async function startWorker(options: WorkerOptions) {
  const { work, group, transport, handle, handlerOptions = {} } = options
  const { storeOf = async () => ({}), batch } = options
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'millrace-worker-'))
  const worker = service('worker', { catalogue: work.catalogue, tables, group })
  const definition =
    batch === undefined
      ? worker
          .on('task.updated', handle, handlerOptions)
          .on('task.completed', handle, handlerOptions)
      : worker
          .onBatch('task.updated', batch.handle, batch.options)
          .onBatch('task.completed', batch.handle, batch.options)
  const running = await startService(definition, {
    directory,
    transport,
    env: await storeOf(directory),
    log: silentLog,
  })
  return {
    running,
    directory,
    /** What was done, as `task step`, in the order of the commits. */
    async done(): Promise<readonly string[]> {
      const rows = await running.read.selectFrom('done').selectAll().orderBy('number').execute()
      return rows.map((row) => `${row.task} ${row.step}`)
    },
    async untilDone(count: number): Promise<readonly string[]> {
      await until(async () => (await this.done()).length >= count)
      return this.done()
    },
    async [Symbol.asyncDispose]() {
      await running.stop()
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Looks again and again; the test's own time limit ends what never comes about. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

export interface Step {
  readonly name: StepName
  readonly task: string
  readonly step: string
  readonly id: string
}

/** A step as another program puts it on its topic. */
export async function sendStep(
  transport: Transport,
  work: Work,
  { name, task, step: stepName, id }: Step,
): Promise<void> {
  const value = {
    eventType: name,
    taskId: task,
    timestamp: '2026-01-01T00:00:00.000Z',
    payload: { step: stepName },
  }
  const record: OutgoingRecord = {
    key: Buffer.from(task),
    value: Buffer.from(JSON.stringify(value)),
    headers: [{ name: headerNames.id, value: Buffer.from(id) }],
    timestampMs: Date.UTC(2026, 0, 1),
  }
  const topic = name === 'task.updated' ? work.updated : work.completed
  await sendTo(transport, topic, task.length % 2, record)
}

/** Sends one record, as often as it takes. */
export async function sendTo(
  transport: Transport,
  topic: string,
  partition: number,
  record: OutgoingRecord,
): Promise<void> {
  await until(async () => (await transport.send({ topic, partition }, [record])).kind === 'sent')
}
