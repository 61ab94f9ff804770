// Auth over HTTP: log in, stay in, log out; change and reset a password; and, for services only,
// keep the password of a new account.
import { randomUUID } from 'node:crypto'
import type { ServerContext } from '@millrace/kit'
import { accepted } from '@millrace/kit/http'
import type { FastifyInstance } from 'fastify'
import type { Dreamscape } from '../../catalogue.ts'
import { loginsPerMinuteMax, resetLifetimeMs } from '../../limits.ts'
import { servicesOnly, type Tokens } from '../bearer.ts'
import { answer } from '../plain.ts'
import { problems } from '../problems.ts'
import { countWrong, findLogin, findLoginOf, holdLogin, isoTime, setPassword } from './logins.ts'
import type { Passwords } from './passwords.ts'
import * as requests from './requests.ts'
import { endSession, type OpenedSession, openSession, renewSession } from './sessions.ts'
import type { Signing } from './signing.ts'
import type { AuthTables } from './tables.ts'

export interface AuthParts {
  readonly running: ServerContext<Dreamscape, AuthTables>
  readonly passwords: Passwords
  readonly signing: Signing
  readonly tokens: Tokens
  /** What the other services show. */
  readonly serviceToken: string
}

export function authRoutes(http: FastifyInstance, parts: AuthParts): void {
  sessionRoutes(http, parts)
  passwordRoutes(http, parts)
  serviceRoutes(http, parts)
}

function sessionRoutes(http: FastifyInstance, parts: AuthParts): void {
  const { running, passwords, signing, tokens } = parts
  const opened = async ({ userId, refreshToken, sessionId }: OpenedSession) => {
    const token = await signing.token({ userId, sessionId })
    return { word: token, body: { userId, token, refreshToken } }
  }

  http.post('/auth/login', { config: notes.login }, async (request, reply) => {
    const { email, password } = await accepted(requests.login, request.body)
    const known = await findLogin(running.read, email)
    if (known?.lockedUntil && Date.parse(known.lockedUntil) > Date.now()) {
      throw problems.locked(known.lockedUntil)
    }
    const fits = await passwords.check(password, known?.passwordHash ?? null)
    if (known === undefined) throw problems.wrongPassword()
    const { userId } = known
    if (!fits) throw await refuseWrong(running, userId)
    const session = await running.transaction(async ({ db, publish }) => {
      await db
        .updateTable('logins')
        .set({ wrongPasswords: 0 })
        .where('userId', '=', userId)
        .execute()
      const made = await openSession(db, userId, Date.now())
      await publish('auth.login', { payload: { userId, sessionId: made.sessionId } })
      return made
    })
    return answer(request, reply, await opened(session))
  })

  http.post('/auth/refresh', { config: notes.refresh }, async (request, reply) => {
    const { refreshToken } = await accepted(requests.refresh, request.body)
    const session = await running.transaction(async ({ db, publish }) => {
      const renewed = await renewSession(db, refreshToken, Date.now())
      if (renewed === undefined) throw problems.sessionEnded()
      const { userId, sessionId } = renewed
      await publish('auth.token.refreshed', { payload: { userId, sessionId } })
      return renewed
    })
    return answer(request, reply, await opened(session))
  })

  http.post('/auth/logout', { config: notes.logout }, async ({ headers }, reply) => {
    const session = await tokens.read(headers)
    await running.transaction(async ({ db, publish }) => {
      const wasOpen = await endSession(db, session.sessionId)
      if (wasOpen) await publish('auth.logout', { payload: session })
    })
    return reply.code(204).send()
  })
}

function passwordRoutes(http: FastifyInstance, parts: AuthParts): void {
  const { running, passwords, signing, tokens } = parts

  http.post('/auth/password', { config: notes.password }, async ({ headers, body }, reply) => {
    const { userId } = await tokens.read(headers)
    const { password, newPassword } = await accepted(requests.passwordChange, body)
    const known = await findLoginOf(running.read, userId)
    const fits = await passwords.check(password, known?.passwordHash ?? null)
    if (!fits) throw await refuseWrong(running, userId)
    const passwordHash = await passwords.hash(newPassword)
    await running.transaction(async ({ db, publish }) => {
      await setPassword(db, userId, passwordHash)
      await publish('auth.password.changed', { payload: { userId, how: 'changed' } })
    })
    return reply.code(204).send()
  })

  /** Answers alike for an address that nobody has: nobody learns who is registered. */
  http.post('/auth/password/reset', { config: notes.askReset }, async ({ body }, reply) => {
    const { email } = await accepted(requests.resetRequest, body)
    await running.transaction(async ({ db, publish }) => {
      const known = await findLogin(db, email)
      if (known === undefined) return
      const { userId } = known
      const [resetId, endsAt] = [randomUUID(), isoTime(Date.now() + resetLifetimeMs)]
      await db.insertInto('resets').values({ resetId, userId, endsAt }).execute()
      const payload = { userId, resetId, expiresAt: endsAt }
      await publish('auth.password.reset.requested', { payload })
    })
    return reply.code(202).send({ sent: 'to the address, if an account has it' })
  })

  http.put('/auth/password/reset', { config: notes.reset }, async ({ body }, reply) => {
    const { resetToken, newPassword } = await accepted(requests.reset, body)
    const resetId = await signing.readReset(resetToken)
    if (resetId === null) throw problems.resetInvalid()
    const passwordHash = await passwords.hash(newPassword)
    await running.transaction(async ({ db, publish }) => {
      const used = await db
        .deleteFrom('resets')
        .where('resetId', '=', resetId)
        .returning('userId')
        .executeTakeFirst()
      if (used === undefined) throw problems.resetInvalid()
      await setPassword(db, used.userId, passwordHash)
      await publish('auth.password.changed', { payload: { userId: used.userId, how: 'reset' } })
    })
    return reply.code(204).send()
  })
}

function serviceRoutes(http: FastifyInstance, parts: AuthParts): void {
  const { running, passwords, signing, serviceToken } = parts

  http.get('/auth/keys', { config: notes.keys }, async () => signing.publicKeys)

  http.put('/auth/logins/:userId', { config: notes.hold }, async ({ headers, params, body }) => {
    servicesOnly(headers, serviceToken)
    const { userId } = await accepted(requests.userPath, params)
    const { email, password } = await accepted(requests.newLogin, body)
    const passwordHash = await passwords.hash(password)
    return running.transaction(async ({ db }) =>
      holdLogin(db, { userId, email, passwordHash }, Date.now()),
    )
  })

  http.get('/auth/resets/:resetId', { config: notes.resetToken }, async ({ headers, params }) => {
    servicesOnly(headers, serviceToken)
    const { resetId } = await accepted(requests.resetPath, params)
    const found = await running.read
      .selectFrom('resets')
      .select(['resetId', 'endsAt'])
      .where('resetId', '=', resetId)
      .executeTakeFirst()
    if (found === undefined) throw problems.resetInvalid()
    return { resetToken: await signing.resetToken(found) }
  })
}

/** Counts the wrong password, locks the account at the last, and gives what to answer. */
function refuseWrong(running: AuthParts['running'], userId: string): Promise<Error> {
  return running.transaction(async ({ db, publish }) => {
    const wrong = await countWrong(db, userId, Date.now())
    if (wrong.kind === 'counted') return problems.wrongPassword()
    const { wrongPasswords, lockedUntil } = wrong
    await publish('auth.account.locked', { payload: { userId, wrongPasswords, lockedUntil } })
    return problems.locked(lockedUntil)
  })
}

const credentials = { email: 'john@example.com', password: 'a-long-password' }
const rateLimit = { max: loginsPerMinuteMax, timeWindow: 60_000 }
const needsToken = true

/** What the front page says of each route. The services ask from one address: no limit there. */
const notes = {
  login: {
    about: 'Log in. To "Accept: text/plain" it answers the token alone',
    example: credentials,
    rateLimit,
  },
  refresh: { about: 'A new token for a refresh token', example: { refreshToken: '…' } },
  logout: { about: 'End this session', needsToken },
  password: {
    about: 'Change the password, and end all sessions',
    needsToken,
    example: { password: 'a-long-password', newPassword: 'a-longer-password' },
    rateLimit,
  },
  askReset: {
    about: 'Have a mail sent with what resets the password',
    example: { email: credentials.email },
    rateLimit,
  },
  reset: {
    about: 'Reset the password with what the mail says',
    example: { resetToken: '…', newPassword: 'a-longer-password' },
    rateLimit,
  },
  keys: { about: 'The public keys of its tokens (JWKS)', rateLimit: false },
  hold: { about: 'Keep the password of a new account, for services only', rateLimit: false },
  resetToken: {
    about: 'What resets a password, for the e-mail, for services only',
    rateLimit: false,
  },
} as const
