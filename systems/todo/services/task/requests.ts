// What the task service accepts. A refusal names the field and what it should be.
import { z } from 'zod'
import { taskTitleLengthMax, teamNameLengthMax } from '../../limits.ts'

const line = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .regex(/^\P{Cc}*$/u, 'must be one line')

const id = z.int().positive()
const idInPath = z.coerce.number().pipe(id)

export const newTeam = z.object({ name: line(teamNameLengthMax) })
export const newMember = z.object({ userId: id })
export const newTask = z.object({
  title: line(taskTitleLengthMax),
  assigneeId: id.nullable().default(null),
})

/** What is absent stays as it is; `assigneeId: null` takes the task from its assignee. */
export const taskChange = z.object({
  title: line(taskTitleLengthMax).optional(),
  completed: z.boolean().optional(),
  assigneeId: id.nullable().optional(),
})

export const teamPath = z.object({ teamId: idInPath })
export const taskPath = z.object({ taskId: idInPath })

/** A page begins after the task with this number. */
export const page = z.object({ after: z.coerce.number().pipe(z.int().nonnegative()).default(0) })
