// A task: what a change to it says, and what it is afterwards. Pure.
import type { BodyOf } from '@millrace/kit'
import type { catalogue } from '../../catalogue.ts'

export interface Task {
  readonly taskId: number
  readonly teamId: number
  readonly creatorId: number
  /** Null: nobody's. */
  readonly assigneeId: number | null
  readonly title: string
  readonly completed: boolean
}

/** What somebody wants changed; what is absent stays. */
export interface TaskChange {
  readonly title?: string | undefined
  readonly completed?: boolean | undefined
  readonly assigneeId?: number | null | undefined
}

type TaskEventName = 'task.updated' | 'task.completed'

/** One event of the task's stream, as it is published. */
export type TaskEvent = {
  readonly [Name in TaskEventName]: {
    readonly name: Name
    readonly body: BodyOf<typeof catalogue, Name>
  }
}[TaskEventName]

/**
 * The events of a change, in the order in which they are said: `task.updated` where the title or
 * the assignee differs, then `task.completed` where the status does. A change that changes
 * nothing says nothing.
 */
export function decide(task: Task, change: TaskChange, actorId: number): readonly TaskEvent[] {
  const { title = task.title, completed = task.completed, assigneeId = task.assigneeId } = change
  const { taskId, teamId, creatorId } = task
  const fields = { taskId, teamId, actorId, creatorId, assigneeId }
  const events: TaskEvent[] = []
  if (title !== task.title || assigneeId !== task.assigneeId) {
    events.push({ name: 'task.updated', body: { ...fields, payload: { title, completed } } })
  }
  if (completed !== task.completed) {
    events.push({ name: 'task.completed', body: { ...fields, payload: { completed } } })
  }
  return events
}

/** The task after one of its events. */
export function evolve(task: Task, { body }: TaskEvent): Task {
  return { ...task, assigneeId: body.assigneeId, ...body.payload }
}
