// Every event of the todo system. On the wire each is the flat JSON of the seed, field for field:
// `eventType`, the fields below, `timestamp`, `payload`. Ids, correlation and trace are headers.
import { defineCatalogue, event, flatJson } from '@millrace/kit'
import { z } from 'zod'

const userFields = z.object({ userId: z.int() })

const taskFields = z.object({
  taskId: z.int(),
  teamId: z.int(),
  /** Who changed the task. */
  actorId: z.int(),
  creatorId: z.int(),
  /** Nobody where it is null; other programs may also leave it out. */
  assigneeId: z.int().nullable().default(null),
})

export const catalogue = defineCatalogue(
  'todo',
  {
    'user.created': event({
      version: '1.0',
      key: (user) => user.userId,
      fields: userFields,
      payload: z.object({ email: z.string(), username: z.string() }),
    }),

    /** The title or the assignee changed; the payload is the task after the change. */
    'task.updated': event({
      version: '1.0',
      stream: 'task',
      key: (task) => task.taskId,
      fields: taskFields,
      payload: z.object({ title: z.string(), completed: z.boolean() }),
    }),

    /** The completion status changed, to done or back to open. */
    'task.completed': event({
      version: '1.0',
      stream: 'task',
      key: (task) => task.taskId,
      fields: taskFields,
      payload: z.object({ completed: z.boolean() }),
    }),
  },
  { format: flatJson, partitions: 4 },
)
