// What the compiler must refuse, and what it must know. Checked by `npm run check`, never run.
import type { Generated } from 'kysely'
import { z } from 'zod'
import {
  type BodyOf,
  defineCatalogue,
  type EventName,
  type EventOf,
} from './catalogue/catalogue.ts'
import { event } from './catalogue/event.ts'
import { flatJson } from './catalogue/flat-json.ts'
import { type AnyServiceDefinition, service } from './service.ts'
import { defineTables } from './store/table-definitions.ts'

const keyOfTask = ({ payload }: { readonly payload: { readonly taskId: number } }) => payload.taskId

const catalogue = defineCatalogue(
  'todo',
  {
    'user.created': event({
      version: '1.0',
      key: (body) => body.userId,
      fields: z.object({ userId: z.int() }),
      payload: z.object({ email: z.string() }),
    }),
    'task.completed': event({
      version: '1.0',
      stream: 'task',
      key: (body) => body.payload.taskId,
      payload: z.object({ taskId: z.int(), completed: z.boolean() }),
    }),
    'task.shared': event({
      version: '1.0',
      key: keyOfTask,
      payload: z.object({ taskId: z.int(), title: z.string() }),
    }),
    // @ts-expect-error: the key is computed from a field that the event does not have
    'task.lost': event({ version: '1.0', key: (body) => body.taskId, payload: z.object({}) }),
  },
  { format: flatJson },
)

type Catalogue = typeof catalogue

type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
export const namesInferred: Equal<
  EventName<Catalogue>,
  'user.created' | 'task.completed' | 'task.shared' | 'task.lost'
> = true
export const typeInferred: Equal<EventOf<Catalogue, 'user.created'>['eventType'], 'user.created'> =
  true
export const fieldInferred: Equal<BodyOf<Catalogue, 'user.created'>['userId'], number> = true
export const memberInferred: Equal<
  EventOf<Catalogue, 'task.completed'>['payload']['completed'],
  boolean
> = true
/** A key that is shared by events names less of a payload than its schema does. */
export const sharedKeyNarrowsNothing: Equal<
  BodyOf<Catalogue, 'task.shared'>['payload'],
  { taskId: number; title: string }
> = true

interface Tables {
  tasks: { id: Generated<number>; title: string }
}

const tables = defineTables<Tables>({
  '001 tasks': async (db) => {
    await db.schema.createTable('tasks').addColumn('id', 'integer').execute()
  },
})

export const taskService = service('task-service', { catalogue, tables })
  .on('user.created', async (user, { db, publish, effect }) => {
    await db.insertInto('tasks').values({ title: user.payload.email }).execute()
    await publish('task.completed', { payload: { taskId: user.userId, completed: true } })
    await effect('mail', async (key) => key)
    await effect('mail', user.payload.email, async (key) => key)

    // @ts-expect-error: no such column
    await db.insertInto('tasks').values({ name: '' }).execute()
    // @ts-expect-error: no such table
    await db.selectFrom('users').selectAll().execute()
    // @ts-expect-error: the kit's own tables are not the handler's business
    await db.selectFrom('millrace_outbox').selectAll().execute()
    // @ts-expect-error: no such event
    await publish('task.deleted', { payload: {} })
    // @ts-expect-error: the payload lacks a member
    await publish('task.completed', { payload: { taskId: 1 } })
    // @ts-expect-error: a member of the payload has another type
    await publish('task.completed', { payload: { taskId: '1', completed: true } })
    // @ts-expect-error: a field is missing
    await publish('user.created', { payload: { email: '' } })
    // @ts-expect-error: the event has no such field
    void user.taskId
    // @ts-expect-error: the payload has no such member
    void user.payload.password
  })
  .serve(async ({ transaction, read }) => {
    await transaction(async ({ publish }) => {
      await publish('user.created', { userId: 1, payload: { email: '' } })
      // @ts-expect-error: a field of the wrong type
      await publish('user.created', { userId: 'one', payload: { email: '' } })
    })
    // @ts-expect-error: no such table
    await read.selectFrom('users').selectAll().execute()
    return { stop: async () => {} }
  })

/** Resources are known, by their own types, to all that follows `with`. */
export const mailService = service('mail-service', { catalogue })
  .with(async ({ env, signal }) => ({ host: env['SMTP_HOST'] ?? '', isOver: signal.aborted }))
  .on('user.created', async (_user, { resources }) => {
    void resources.host.length
    // @ts-expect-error: no such resource
    void resources.port
    // @ts-expect-error: of another type
    void resources.isOver.length
  })
  .serve(async ({ resources }) => {
    // @ts-expect-error: no such resource
    void resources.port
    return { urls: [resources.host], stop: async () => {} }
  })

service('mail-service', { catalogue })
  // @ts-expect-error: nothing that could be opened
  .with(() => 'a text')
service('mail-service', { catalogue }).on('user.created', async (_user, { resources }) => {
  // @ts-expect-error: nothing was opened
  void resources.host
})

// @ts-expect-error: no such event in the catalogue
service('task-service', { catalogue }).on('task.deleted', async () => {})

export const services: readonly AnyServiceDefinition[] = [taskService, mailService]
