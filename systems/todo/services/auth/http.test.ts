import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type AnyRunningService, silentLog, startService } from '@millrace/kit'
import { z } from 'zod'
import { loginsPerMinuteMax, tokenLifetimeSeconds } from '../../limits.ts'
import { authService } from './auth-service.ts'
import { issueToken } from './tokens.ts'

const secret = 'thirty-two bytes of a test secret'
const env = { KAFKA_ENABLED: 'false', SERVICE_TOKEN: 'of-services', TOKEN_SECRET: secret }

let directory: string
let running: AnyRunningService
let url: string

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-auth-'))
  running = await startService(authService, { directory, env, log: silentLog })
  url = running.servers.flatMap(({ urls = [] }) => urls)[0] ?? ''
})
after(async () => {
  await running.stop()
  await rm(directory, { recursive: true })
})

interface Asked {
  readonly body?: unknown
  readonly token?: string
  readonly raw?: string
}

async function ask(method: string, path: string, { body, token, raw }: Asked = {}) {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(sent === undefined ? {} : { body: sent }),
  })
  return { response, body: z.record(z.string(), z.unknown()).parse(await response.json()) }
}

const seedUser = { username: 'test', email: 'test@example.com', password: 'pass' }

test("the seed's own registration answers 201, and 409 with the reason the second time", async () => {
  const first = await ask('POST', '/auth/register', { body: seedUser })
  assert.equal(first.response.status, 201)
  assert.deepEqual(first.body, { userId: 1, username: 'test', email: 'test@example.com' })

  const second = await ask('POST', '/auth/register', { body: seedUser })
  assert.equal(second.response.status, 409)
  assert.match(second.response.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.deepEqual(
    { type: second.body['type'], status: second.body['status'], detail: second.body['detail'] },
    {
      type: 'email-taken',
      status: 409,
      detail: 'test@example.com is registered already: log in, or use another address',
    },
  )
})

const expired = await issueToken(1, {
  secret: new TextEncoder().encode(secret),
  nowMs: Date.now() - tokenLifetimeSeconds * 1000,
})
const ofNobody = await issueToken(99, {
  secret: new TextEncoder().encode(secret),
  nowMs: Date.now(),
})

const other = { username: 'other', email: 'other@example.com', password: 'pass' }
const register = ['POST', '/auth/register'] as const
const login = ['POST', '/auth/login'] as const

const refusals: readonly [string, readonly [string, string], Asked, number, string, RegExp][] = [
  ['malformed JSON', register, { raw: '{"username":' }, 400, 'malformed-json', /JSON/],
  ['no body', register, { raw: '' }, 400, 'empty-body', /JSON object/],
  [
    'a name that is taken, in another spelling',
    register,
    { body: { ...other, username: 'TEST' } },
    409,
    'username-taken',
    /"TEST" is taken/,
  ],
  [
    'an address that is taken, in another spelling',
    register,
    { body: { ...other, email: 'Test@Example.COM' } },
    409,
    'email-taken',
    /Test@Example\.COM is registered/,
  ],
  ['no address', register, { body: { ...other, email: 'x' } }, 422, 'invalid-request', /email/],
  [
    'a name like an address',
    register,
    { body: { ...other, username: 'a@b' } },
    422,
    'invalid-request',
    /@/,
  ],
  [
    'a short password',
    register,
    { body: { ...other, password: 'abc' } },
    422,
    'invalid-request',
    /passw/,
  ],
  [
    'a long password',
    register,
    { body: { ...other, password: 'x'.repeat(257) } },
    422,
    'invalid-request',
    /password/,
  ],
  ['a body that is no object', register, { body: 7 }, 422, 'invalid-request', /object/],
  [
    'a wrong password',
    login,
    { body: { username: 'test', password: 'Pass' } },
    401,
    'wrong-password',
    /^no user has this e-mail address or name with this password$/,
  ],
  [
    'an unknown user, in the same words',
    login,
    { body: { email: 'nobody@example.com', password: 'pass' } },
    401,
    'wrong-password',
    /^no user has this e-mail address or name with this password$/,
  ],
  [
    'a login without a name',
    login,
    { body: { password: 'pass' } },
    422,
    'invalid-request',
    /must be given/,
  ],
  ['no token', ['GET', '/auth/me'], {}, 401, 'token-missing', /Authorization: Bearer/],
  ['a wrong token', ['GET', '/auth/me'], { token: 'x.y.z' }, 401, 'token-invalid', /log in/],
  [
    'a token of a user who is not there',
    ['GET', '/auth/me'],
    { token: ofNobody.token },
    401,
    'token-invalid',
    /log in/,
  ],
  [
    'an expired token',
    ['GET', '/auth/me'],
    { token: expired.token },
    401,
    'token-expired',
    /has expired: log in again/,
  ],
  ['a look-up without a token', ['GET', '/auth/users/1'], {}, 401, 'token-missing', /Bearer/],
  [
    'a look-up by a user',
    ['GET', '/auth/users/1'],
    { token: ofNobody.token },
    403,
    'services-only',
    /only the services/,
  ],
  [
    'an unknown user',
    ['GET', '/auth/users/99'],
    { token: 'of-services' },
    404,
    'unknown-user',
    /no user 99/,
  ],
  [
    'a user that is no number',
    ['GET', '/auth/users/ann'],
    { token: 'of-services' },
    422,
    'invalid-request',
    /userId/,
  ],
]
for (const [name, [method, path], asked, status, type, detail] of refusals) {
  test(`${name} is refused with ${status} ${type}`, async () => {
    const { response, body } = await ask(method, path, asked)
    assert.equal(response.status, status)
    assert.equal(body['status'], status)
    assert.equal(body['type'], type)
    assert.match(String(body['detail']), detail)
    if (status === 401) assert.equal(response.headers.get('www-authenticate'), 'Bearer')
  })
}

test('a user logs in by name or address, in any spelling, and the token says who it is', async () => {
  for (const by of [{ username: 'Test' }, { email: 'TEST@example.com' }]) {
    const { response, body } = await ask('POST', '/auth/login', {
      body: { ...by, password: 'pass' },
    })
    assert.equal(response.status, 200)
    const me = await ask('GET', '/auth/me', { token: String(body['token']) })
    assert.deepEqual(me.body, { userId: 1, username: 'test', email: 'test@example.com' })
  }
})

test('a service looks a user up, and sees no password', async () => {
  const { body } = await ask('GET', '/auth/users/1', { token: 'of-services' })
  assert.deepEqual(body, { userId: 1, username: 'test', email: 'test@example.com' })
})

test('of two who take one address at once, one gets it and the other is told', async () => {
  const twins = ['twin-1', 'twin-2'].map((username) =>
    ask('POST', '/auth/register', {
      body: { username, email: 'twin@example.com', password: 'pass' },
    }),
  )
  const statuses = (await Promise.all(twins)).map(({ response }) => response.status)
  assert.deepEqual(
    statuses.sort((one, other) => one - other),
    [201, 409],
  )
})

test('guesses at one account are limited, and other accounts are not', async () => {
  const guess = (username: string) =>
    ask('POST', '/auth/login', { body: { username, password: 'guess' } })
  for (let number = 0; number < loginsPerMinuteMax; number += 1) {
    assert.equal((await guess('victim')).response.status, 401)
  }
  const { response, body } = await guess('Victim')
  assert.equal(response.status, 429)
  assert.equal(body['type'], 'too-many-requests')
  assert.match(response.headers.get('retry-after') ?? '', /^\d+$/)
  assert.equal((await guess('bystander')).response.status, 401)
})
