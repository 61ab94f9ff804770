// Auth over HTTP: register, log in, who am I, and, for services only, who is user 7.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock, ServerContext } from '@millrace/kit'
import { accepted } from '@millrace/kit/http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { catalogue } from '../../catalogue.ts'
import { loginsPerMinuteMax } from '../../limits.ts'
import { bearerOf } from '../bearer.ts'
import { problems } from '../problems.ts'
import { SemaphoreFull } from '../semaphore.ts'
import type { Passwords } from './passwords.ts'
import { login, registration, userPath } from './requests.ts'
import { type AuthTables, fold } from './tables.ts'
import { issueToken, readToken } from './tokens.ts'
import { findById, findByLogin, findTaken, insertUser, type NewUser, type Taken } from './users.ts'

export interface AuthParts {
  readonly running: ServerContext<typeof catalogue, AuthTables>
  readonly passwords: Passwords
  /** Signs the users' tokens. */
  readonly tokenSecret: Uint8Array
  /** What the other services show. */
  readonly serviceToken: string
  readonly clock: Pick<Clock, 'nowMs'>
}

export function authRoutes(http: FastifyInstance, parts: AuthParts): void {
  const { running, passwords, tokenSecret, serviceToken, clock } = parts

  http.post('/auth/register', { config: registerNote }, async ({ body }, reply) => {
    const { password, ...user } = await accepted(registration, body)
    // Asked before the hash, which is dear, and again where nobody can come between.
    refuseTaken(user, await findTaken(running.read, user))
    const passwordHash = await inTime(passwords.hash(password))
    const userId = await running.transaction(async ({ db, publish }) => {
      refuseTaken(user, await findTaken(db, user))
      const added = await insertUser(db, { ...user, passwordHash })
      await publish('user.created', { userId: added, payload: user })
      return added
    })
    return reply.code(201).send({ userId, ...user })
  })

  http.post(
    '/auth/login',
    { config: { ...loginNote, rateLimit: loginLimit } },
    async ({ body }) => {
      const { name, password } = await accepted(login, body)
      const user = await findByLogin(running.read, name)
      const fits = await inTime(passwords.check(password, user?.passwordHash))
      if (!fits || !user) throw problems.wrongPassword()
      const { userId, username, email } = user
      const issued = await issueToken(userId, { secret: tokenSecret, nowMs: clock.nowMs() })
      return { ...issued, user: { userId, username, email } }
    },
  )

  http.get('/auth/me', { config: meNote }, async ({ headers }) => {
    const token = bearerOf(headers)
    const outcome = await readToken(token, { secret: tokenSecret, nowMs: clock.nowMs() })
    if (outcome.kind === 'expired') throw problems.tokenExpired()
    const user = outcome.kind === 'valid' ? await findById(running.read, outcome.userId) : undefined
    if (!user) throw problems.tokenInvalid()
    return user
  })

  http.get('/auth/users/:userId', { config: lookUpNote }, async ({ headers, params }) => {
    if (!sameSecret(bearerOf(headers), serviceToken)) throw problems.servicesOnly()
    const { userId } = await accepted(userPath, params)
    const user = await findById(running.read, userId)
    if (!user) throw problems.unknownUser(userId)
    return user
  })
}

const registerNote = {
  about: 'Register a user; the welcome mail comes by itself',
  example: { username: 'test', email: 'test@example.com', password: 'pass' },
}

const loginNote = {
  about: 'Log in by username or email, for the token that other lines call $TOKEN',
  example: { username: 'test', password: 'pass' },
}

/** The other services ask for all of their users, from one address: that is not limited. */
const meNote = { about: 'Whose token it is', needsToken: true, rateLimit: false } as const
const lookUpNote = {
  about: 'Who a user is, for services only',
  examplePath: '/auth/users/1',
  rateLimit: false,
} as const

/** Counted for each account and address, so that nobody locks another out from elsewhere. */
const loginLimit = {
  max: loginsPerMinuteMax,
  timeWindow: 60_000,
  hook: 'preHandler',
  keyGenerator: ({ ip, body }: FastifyRequest) => {
    const attempt = login.safeParse(body)
    return `${ip} ${fold(attempt.data?.name ?? '')}`
  },
} as const

/** A hash that would have to wait too long is refused: the queue for them has an end. */
async function inTime<Result>(hashed: Promise<Result>): Promise<Result> {
  try {
    return await hashed
  } catch (error) {
    throw error instanceof SemaphoreFull ? problems.tooBusy() : error
  }
}

function refuseTaken({ username, email }: NewUser, { kind }: Taken): void {
  if (kind === 'email-taken') throw problems.emailTaken(email)
  if (kind === 'username-taken') throw problems.usernameTaken(username)
}

/** Compares in a time that does not tell how much of it is right. */
function sameSecret(shown: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(shown), digest(wanted))
}
