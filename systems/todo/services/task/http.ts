// Teams and tasks over HTTP, for users with a token.
import type { ServerContext } from '@millrace/kit'
import { accepted } from '@millrace/kit/http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import type { catalogue } from '../../catalogue.ts'
import { teamMembersMax } from '../../limits.ts'
import type { AuthClient } from '../auth/client.ts'
import { bearerOf } from '../bearer.ts'
import { problems } from '../problems.ts'
import * as requests from './requests.ts'
import type { Sessions } from './sessions.ts'
import type { TaskTables } from './tables.ts'
import { decide, evolve, type Task } from './task.ts'
import { findTask, findTasks, insertTask, saveTask } from './task-rows.ts'
import { addMember, findTeam, findTeamsOf, insertTeam, type Team } from './team.ts'

export interface TaskParts {
  readonly running: ServerContext<typeof catalogue, TaskTables>
  readonly sessions: Sessions
  readonly people: AuthClient
}

export function taskRoutes(http: FastifyInstance, parts: TaskParts): void {
  teamRoutes(http, parts)
  const { running, sessions } = parts

  http.post('/teams/:teamId/tasks', { config: notes.newTask }, async (request, reply) => {
    const userId = await userOf(request, sessions)
    const { teamId } = await accepted(requests.teamPath, request.params)
    const { title, assigneeId } = await accepted(requests.newTask, request.body)
    const task = await running.transaction(async ({ db }) => {
      const team = await ownTeam(db, teamId, userId)
      checkAssignee(team, assigneeId)
      return insertTask(db, { teamId, creatorId: userId, assigneeId, title, completed: false })
    })
    return reply.code(201).send(task)
  })

  http.get('/teams/:teamId/tasks', { config: notes.tasks }, async (request) => {
    const userId = await userOf(request, sessions)
    const { teamId } = await accepted(requests.teamPath, request.params)
    const { after } = await accepted(requests.page, request.query)
    await ownTeam(running.read, teamId, userId)
    return findTasks(running.read, { teamId, afterTaskId: after })
  })

  http.get('/tasks/:taskId', { config: notes.task }, async (request) => {
    const userId = await userOf(request, sessions)
    const { taskId } = await accepted(requests.taskPath, request.params)
    const { task } = await ownTask(running.read, taskId, userId)
    return task
  })

  http.patch('/tasks/:taskId', { config: notes.taskChange }, async (request) => {
    const userId = await userOf(request, sessions)
    const { taskId } = await accepted(requests.taskPath, request.params)
    const change = await accepted(requests.taskChange, request.body)
    return running.transaction(async ({ db, publish }) => {
      const { task, team } = await ownTask(db, taskId, userId)
      checkAssignee(team, change.assigneeId ?? null)
      const events = decide(task, change, userId)
      if (events.length === 0) return task
      const changed = events.reduce(evolve, task)
      await saveTask(db, changed)
      for (const { name, body } of events) await publish(name, body)
      return changed
    })
  })
}

function teamRoutes(http: FastifyInstance, { running, sessions, people }: TaskParts): void {
  http.post('/teams', { config: notes.newTeam }, async (request, reply) => {
    const userId = await userOf(request, sessions)
    const { name } = await accepted(requests.newTeam, request.body)
    const team = await running.transaction(({ db }) => insertTeam(db, { name, founderId: userId }))
    return reply.code(201).send(team)
  })

  http.get('/teams', { config: notes.teams }, async (request) =>
    findTeamsOf(running.read, await userOf(request, sessions)),
  )

  http.get('/teams/:teamId', { config: notes.team }, async (request) => {
    const userId = await userOf(request, sessions)
    const { teamId } = await accepted(requests.teamPath, request.params)
    return ownTeam(running.read, teamId, userId)
  })

  http.post('/teams/:teamId/members', { config: notes.newMember }, async (request, reply) => {
    const userId = await userOf(request, sessions)
    const { teamId } = await accepted(requests.teamPath, request.params)
    const { userId: memberId } = await accepted(requests.newMember, request.body)
    await ownTeam(running.read, teamId, userId)
    // Auth is asked before the transaction opens: while it is open nobody else can write.
    const outcome = await people.findPerson(memberId)
    if (outcome.kind === 'unavailable') throw problems.authUnavailable(outcome.reason)
    if (outcome.kind === 'unknown') throw problems.unknownMember(memberId)
    const team = await running.transaction(async ({ db }) => {
      const found = await ownTeam(db, teamId, userId)
      const added = await addMember(db, found, memberId)
      if (added.kind === 'full') throw problems.teamFull(teamId, teamMembersMax)
      return ownTeam(db, teamId, userId)
    })
    return reply.code(201).send(team)
  })
}

const needsToken = true

/** What the front page says of each route. */
const notes = {
  newTeam: {
    about: 'Make a team; you are its first member',
    needsToken,
    example: { name: 'Home' },
  },
  teams: { about: 'Your teams', needsToken },
  team: { about: 'A team and its members', needsToken, examplePath: '/teams/1' },
  newMember: {
    about: 'Take a user into the team',
    needsToken,
    examplePath: '/teams/1/members',
    example: { userId: 2 },
  },
  newTask: {
    about: 'Make a task, for nobody or (assigneeId) for a member',
    needsToken,
    examplePath: '/teams/1/tasks',
    example: { title: 'Buy milk' },
  },
  tasks: {
    about: "The team's tasks, a page of them; ?after=<taskId> is the next",
    needsToken,
    examplePath: '/teams/1/tasks',
  },
  task: { about: 'A task', needsToken, examplePath: '/tasks/1' },
  taskChange: {
    about: 'Change its title, complete or reopen it, give it to a member or (null) to nobody',
    needsToken,
    examplePath: '/tasks/1',
    example: { title: 'Buy oat milk', completed: true },
  },
}

/** Whose request it is. */
async function userOf({ headers }: FastifyRequest, sessions: Sessions): Promise<number> {
  const session = await sessions.read(bearerOf(headers))
  if (session.kind === 'refused') throw problems.tokenRefused(session.message)
  if (session.kind === 'unavailable') throw problems.authUnavailable(session.reason)
  return session.userId
}

async function ownTeam(db: Kysely<TaskTables>, teamId: number, userId: number): Promise<Team> {
  const team = await findTeam(db, teamId)
  if (!team) throw problems.unknownTeam(teamId)
  if (!team.members.includes(userId)) throw problems.foreignTeam(teamId)
  return team
}

async function ownTask(
  db: Kysely<TaskTables>,
  taskId: number,
  userId: number,
): Promise<{ task: Task; team: Team }> {
  const task = await findTask(db, taskId)
  if (!task) throw problems.unknownTask(taskId)
  const team = await findTeam(db, task.teamId)
  if (!team?.members.includes(userId)) throw problems.foreignTask(task)
  return { task, team }
}

function checkAssignee({ teamId, members }: Team, assigneeId: number | null): void {
  if (assigneeId === null || members.includes(assigneeId)) return
  throw problems.unknownAssignee({ assigneeId, teamId, members })
}
