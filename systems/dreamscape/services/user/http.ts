// Accounts over HTTP: register, see and change who you are, and go.
import { randomUUID } from 'node:crypto'
import type { ServerContext } from '@millrace/kit'
import { accepted } from '@millrace/kit/http'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { channels, type Dreamscape } from '../../catalogue.ts'
import {
  emailLengthMax,
  nameLengthMax,
  passwordLengthMax,
  passwordLengthMin,
} from '../../limits.ts'
import type { Tokens } from '../bearer.ts'
import type { Neighbour } from '../neighbour.ts'
import { problems } from '../problems.ts'
import type { UserTables } from './tables.ts'
import { changeUser, findUser, insertUser, isEmailTaken } from './users.ts'

export interface UserParts {
  readonly running: ServerContext<Dreamscape, UserTables>
  readonly tokens: Tokens
  /** Auth, with the services' own token. */
  readonly auth: Neighbour
}

export function userRoutes(http: FastifyInstance, parts: UserParts): void {
  accountRoutes(http, parts)
  const { running, tokens } = parts

  http.put('/users/me/profile', { config: notes.profile }, async ({ headers, body }) => {
    const { userId } = await tokens.read(headers)
    const profile = await accepted(requests.profile, body)
    await running.transaction(async ({ db, publish }) => {
      await changeUser(db, userId, profile)
      await publish('user.profile.updated', { payload: { userId, ...profile } })
    })
    return findUser(running.read, userId)
  })

  http.put('/users/me/preferences', { config: notes.preferences }, async ({ headers, body }) => {
    const { userId } = await tokens.read(headers)
    const preferences = await accepted(requests.preferences, body)
    await running.transaction(async ({ db, publish }) => {
      await changeUser(db, userId, {
        channels: JSON.stringify(preferences.channels),
        interests: JSON.stringify(preferences.interests),
      })
      await publish('user.preferences.updated', { payload: { userId, ...preferences } })
    })
    return findUser(running.read, userId)
  })
}

function accountRoutes(http: FastifyInstance, { running, tokens, auth }: UserParts): void {
  http.post('/users', { config: notes.register }, async ({ body }, reply) => {
    const { password, ...person } = await accepted(requests.registration, body)
    if (await isEmailTaken(running.read, person.email)) throw problems.emailTaken(person.email)
    const user = { userId: `user-${randomUUID()}`, ...person }
    // Auth keeps the password first: an account that is announced can log in.
    await holdLogin(auth, { ...user, password })
    await running.transaction(async ({ db, publish }) => {
      await insertUser(db, user)
      await publish('user.created', { payload: user })
    })
    return reply.code(201).send(user)
  })

  http.get('/users/me', { config: notes.me }, async ({ headers }) => {
    const { userId } = await tokens.read(headers)
    return findUser(running.read, userId)
  })

  http.patch('/users/me', { config: notes.change }, async ({ headers, body }) => {
    const { userId } = await tokens.read(headers)
    const change = await accepted(requests.change, body)
    await running.transaction(async ({ db, publish }) => {
      const { email, firstName, lastName } = await changeUser(db, userId, defined(change))
      await publish('user.updated', { payload: { userId, email, firstName, lastName } })
    })
    return findUser(running.read, userId)
  })

  http.delete('/users/me', { config: notes.goodbye }, async ({ headers }, reply) => {
    const { userId } = await tokens.read(headers)
    await running.transaction(async ({ db, publish }) => {
      const gone = await db
        .deleteFrom('users')
        .where('userId', '=', userId)
        .returning('userId')
        .executeTakeFirst()
      if (gone === undefined) throw problems.unknownAccount()
      await publish('user.deleted', { payload: { userId } })
    })
    return reply.code(204).send()
  })
}

interface HeldLogin {
  readonly userId: string
  readonly email: string
  readonly password: string
}

async function holdLogin(auth: Neighbour, { userId, email, password }: HeldLogin): Promise<void> {
  const path = `/auth/logins/${userId}`
  const held = await auth.ask({ method: 'PUT', path, body: { email, password } })
  if (held.kind !== 'answered') throw problems.unavailable(held.reason)
  const holding = z.object({ kind: z.enum(['held', 'taken']) }).safeParse(held.body)
  if (!holding.success) throw problems.unavailable(`auth answers ${held.status}`)
  if (holding.data.kind === 'taken') throw problems.emailTaken(email)
}

type Change = z.infer<typeof requests.change>

/** What is absent stays as it is. */
function defined({ email, firstName, lastName }: Change) {
  return {
    ...(email === undefined ? {} : { email }),
    ...(firstName === undefined ? {} : { firstName }),
    ...(lastName === undefined ? {} : { lastName }),
  }
}

const line = z
  .string()
  .trim()
  .min(1)
  .max(nameLengthMax)
  .regex(/^\P{Cc}*$/u, 'must be one line')
const email = z.email().max(emailLengthMax)

/** What the service accepts. */
const requests = {
  registration: z.object({
    email,
    password: z.string().min(passwordLengthMin).max(passwordLengthMax),
    firstName: line,
    lastName: line,
  }),
  change: z
    .object({ email: email.optional(), firstName: line.optional(), lastName: line.optional() })
    .refine((change) => Object.values(change).some((value) => value !== undefined), {
      message: 'email, firstName or lastName must be given',
    }),
  profile: z.object({
    phone: line.nullable().default(null),
    homeAirport: line.nullable().default(null),
  }),
  preferences: z.object({
    channels: z.array(z.enum(channels)).max(channels.length),
    interests: z.array(line).max(20).default([]),
  }),
}

const needsToken = true

/** What the front page says of each route. */
const notes = {
  register: {
    about: 'Register; the welcome mail comes by itself. Log in at the auth service',
    example: {
      email: 'john@example.com',
      password: 'a-long-password',
      firstName: 'John',
      lastName: 'Doe',
    },
  },
  me: { about: 'Who you are', needsToken },
  change: { about: 'Change name or address', needsToken, example: { lastName: 'Roe' } },
  profile: {
    about: 'A telephone number for SMS, an airport to fly from',
    needsToken,
    example: { phone: '+351 555 0100', homeAirport: 'PAR' },
  },
  preferences: {
    about: 'By which channels to be told, and what you dream of',
    needsToken,
    example: { channels: ['email', 'sms', 'push'], interests: ['lisbon'] },
  },
  goodbye: { about: 'Delete the account', needsToken },
}
