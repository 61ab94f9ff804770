// Tasks as rows.
import type { Kysely, Selectable, Transaction } from 'kysely'
import { tasksPageMax } from '../../limits.ts'
import type { TaskTables } from './tables.ts'
import type { Task } from './task.ts'

/** Saves a new task, which is open, and gives it its number. */
export async function insertTask(
  db: Transaction<TaskTables>,
  { completed, ...task }: Omit<Task, 'taskId'>,
): Promise<Task> {
  const row = await db
    .insertInto('tasks')
    .values({ ...task, completed: Number(completed) })
    .returningAll()
    .executeTakeFirstOrThrow()
  return taskOf(row)
}

export async function saveTask(
  db: Transaction<TaskTables>,
  { taskId, title, completed, assigneeId }: Task,
): Promise<void> {
  await db
    .updateTable('tasks')
    .set({ title, completed: Number(completed), assigneeId })
    .where('taskId', '=', taskId)
    .execute()
}

export async function findTask(db: Kysely<TaskTables>, taskId: number): Promise<Task | undefined> {
  const row = await db
    .selectFrom('tasks')
    .selectAll()
    .where('taskId', '=', taskId)
    .executeTakeFirst()
  return row && taskOf(row)
}

/** A page of a team's tasks, in the order in which they were made, after `afterTaskId`. */
export async function findTasks(
  db: Kysely<TaskTables>,
  { teamId, afterTaskId }: { teamId: number; afterTaskId: number },
): Promise<readonly Task[]> {
  const rows = await db
    .selectFrom('tasks')
    .selectAll()
    .where('teamId', '=', teamId)
    .where('taskId', '>', afterTaskId)
    .orderBy('taskId')
    .limit(tasksPageMax)
    .execute()
  return rows.map(taskOf)
}

function taskOf({ completed, ...row }: Selectable<TaskTables['tasks']>): Task {
  return { ...row, completed: completed === 1 }
}
