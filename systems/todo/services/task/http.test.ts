import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type AnyRunningService, silentLog, startService } from '@millrace/kit'
import { authService } from '../auth/auth-service.ts'
import type { Task } from './task.ts'
import { taskService } from './task-service.ts'

const running = new AsyncDisposableStack()
let taskUrl: string
/** By name. Ann and ben share a team; eve has none. */
const tokens: Record<string, string> = {}

before(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-task-'))
  running.defer(() => rm(directory, { recursive: true }))
  const env = { KAFKA_ENABLED: 'false', SERVICE_TOKEN: 'of-services' }
  const options = { directory, log: silentLog }
  const authUrl = urlOf(running.use(await startService(authService, { ...options, env })))
  const taskEnv = { ...env, AUTH_SERVICE_URL: authUrl }
  taskUrl = urlOf(running.use(await startService(taskService, { ...options, env: taskEnv })))
  for (const username of ['ann', 'ben', 'eve']) {
    const user = { username, password: 'pass' }
    await ask(authUrl, 'POST', '/auth/register', {
      body: { ...user, email: `${username}@example.com` },
    })
    const login = await ask(authUrl, 'POST', '/auth/login', { body: user })
    tokens[username] = String(field(login.body, 'token'))
  }
  await as('ann', 'POST', '/teams', { name: 'Home' })
  await as('ann', 'POST', '/teams/1/members', { userId: 2 })
  await as('ann', 'POST', '/teams/1/tasks', { title: 'Buy milk', assigneeId: 2 })
})
after(() => running.disposeAsync())

function urlOf({ servers }: AnyRunningService): string {
  return servers.flatMap(({ urls = [] }) => urls)[0] ?? ''
}

interface Asked {
  readonly token?: string
  readonly body?: unknown
}

async function ask(base: string, method: string, path: string, { token, body }: Asked) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answered: unknown = await response.json()
  return { status: response.status, body: answered }
}

function as(name: string, method: string, path: string, body?: unknown) {
  return ask(taskUrl, method, path, { token: tokens[name] ?? '', body })
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? Object.entries(body).find(([key]) => key === name)?.[1]
    : undefined
}

const task = {
  taskId: 1,
  teamId: 1,
  creatorId: 1,
  assigneeId: 2,
  title: 'Buy milk',
  completed: false,
}

test('a team and its tasks are seen by its members', async () => {
  const seen = async (path: string) => (await as('ben', 'GET', path)).body
  assert.deepEqual(await seen('/teams'), [{ teamId: 1, name: 'Home' }])
  assert.deepEqual(await seen('/teams/1'), { teamId: 1, name: 'Home', members: [1, 2] })
  assert.deepEqual(await seen('/teams/1/tasks'), [task])
  assert.deepEqual(await seen('/teams/1/tasks?after=1'), [])
  assert.deepEqual(await seen('/tasks/1'), task)
  assert.deepEqual((await as('eve', 'GET', '/teams')).body, [])
})

const refusals: readonly [string, string, string, string, unknown, number, string, RegExp][] = [
  ['an unknown team', 'ann', 'GET', '/teams/9', undefined, 404, 'unknown-team', /no team 9/],
  [
    'a foreign team',
    'eve',
    'GET',
    '/teams/1',
    undefined,
    403,
    'foreign-team',
    /no member of team 1/,
  ],
  [
    'a task in an unknown team',
    'ann',
    'POST',
    '/teams/9/tasks',
    { title: 'x' },
    404,
    'unknown-team',
    /no team 9/,
  ],
  [
    'a task in a foreign team',
    'eve',
    'POST',
    '/teams/1/tasks',
    { title: 'x' },
    403,
    'foreign-team',
    /no member/,
  ],
  [
    'the tasks of a foreign team',
    'eve',
    'GET',
    '/teams/1/tasks',
    undefined,
    403,
    'foreign-team',
    /./,
  ],
  [
    'a member for a foreign team',
    'eve',
    'POST',
    '/teams/1/members',
    { userId: 3 },
    403,
    'foreign-team',
    /./,
  ],
  [
    'a member who does not exist',
    'ann',
    'POST',
    '/teams/1/members',
    { userId: 99 },
    422,
    'unknown-member',
    /no user 99/,
  ],
  ['an unknown task', 'ann', 'PATCH', '/tasks/9', {}, 404, 'unknown-task', /no task 9/],
  [
    'a foreign task',
    'eve',
    'PATCH',
    '/tasks/1',
    { completed: true },
    403,
    'foreign-task',
    /of team 1, which you are no member of/,
  ],
  ['to see a foreign task', 'eve', 'GET', '/tasks/1', undefined, 403, 'foreign-task', /./],
  [
    'an assignee who is no member',
    'ann',
    'PATCH',
    '/tasks/1',
    { assigneeId: 3 },
    422,
    'unknown-assignee',
    /user 3 is no member of team 1 \(its members: 1, 2\)/,
  ],
  [
    'a new task for a stranger',
    'ann',
    'POST',
    '/teams/1/tasks',
    { title: 'x', assigneeId: 3 },
    422,
    'unknown-assignee',
    /user 3/,
  ],
  ['an empty title', 'ann', 'PATCH', '/tasks/1', { title: ' ' }, 422, 'invalid-request', /title/],
  [
    'a title of two lines',
    'ann',
    'PATCH',
    '/tasks/1',
    { title: 'a\nb' },
    422,
    'invalid-request',
    /one line/,
  ],
  [
    'a status that is a word',
    'ann',
    'PATCH',
    '/tasks/1',
    { completed: 'yes' },
    422,
    'invalid-request',
    /compl/,
  ],
  [
    'a task that is no number',
    'ann',
    'GET',
    '/tasks/one',
    undefined,
    422,
    'invalid-request',
    /taskId/,
  ],
  ['an unknown path', 'ann', 'GET', '/tsaks', undefined, 404, 'unknown-path', /tsaks/],
]
for (const [name, who, method, path, body, status, type, detail] of refusals) {
  test(`${name} is refused with ${status} ${type}`, async () => {
    const answer = await as(who, method, path, body)
    assert.equal(answer.status, status)
    assert.equal(field(answer.body, 'type'), type)
    assert.match(String(field(answer.body, 'detail')), detail)
  })
}

for (const [name, token, type] of [
  ['no token', undefined, 'token-missing'],
  ['a token that auth refuses', 'x.y.z', 'token-refused'],
] as const) {
  test(`${name} is refused with 401 ${type}`, async () => {
    const asked = token === undefined ? {} : { token }
    const answer = await ask(taskUrl, 'GET', '/teams', asked)
    assert.equal(answer.status, 401)
    assert.equal(field(answer.body, 'type'), type)
  })
}

test('a refused change leaves the task as it was', async () => {
  await as('ann', 'PATCH', '/tasks/1', { title: 'Changed', assigneeId: 3 })
  assert.deepEqual((await as('ann', 'GET', '/tasks/1')).body, task)
})

test('a task is changed, done, open again, and nobodys', async () => {
  const made = await as('ben', 'POST', '/teams/1/tasks', { title: 'Sweep' })
  assert.equal(made.status, 201)
  const before = { ...task, taskId: 2, creatorId: 2, assigneeId: null, title: 'Sweep' }
  assert.deepEqual(made.body, before)
  const changes = [
    { title: 'Sweep up', completed: true },
    { assigneeId: 1 },
    { completed: false },
    { assigneeId: null },
  ]
  let want: Task = before
  for (const change of changes) {
    const answer = await as('ann', 'PATCH', '/tasks/2', change)
    want = { ...want, ...change }
    assert.deepEqual(answer, { status: 200, body: want })
  }
})

test('where auth is down, the answer is 503 and names it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-task-'))
  const closed = createServer().listen(0, '127.0.0.1')
  const address = closed.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  closed.close()
  const alone = await startService(taskService, {
    directory,
    log: silentLog,
    env: {
      KAFKA_ENABLED: 'false',
      SERVICE_TOKEN: 'of-services',
      AUTH_SERVICE_URL: `http://127.0.0.1:${port}`,
    },
  })
  const answer = await ask(urlOf(alone), 'GET', '/teams', { token: 'any' })
  assert.equal(answer.status, 503)
  assert.match(String(field(answer.body, 'detail')), /auth at http.* does not answer: .*REFUSED/)
  await alone.stop()
  await rm(directory, { recursive: true })
})
