import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { type RunningDreamscape, startDreamscape } from './test/start-dreamscape.ts'

// What the services refuse, over HTTP, with Kafka off: each refusal has a status, a type, and
// words that help.

let dreamscape: RunningDreamscape
const tokens = new Map<string, string>()

before(async () => {
  dreamscape = await startDreamscape({ env: { KAFKA_ENABLED: 'false' } })
  for (const name of ['ann', 'eve']) {
    const person = { email: `${name}@example.com`, firstName: name, lastName: 'Lee' }
    await ask('user', 'POST /users', { body: { ...person, password } })
    const { body } = await ask('auth', 'POST /auth/login', {
      body: { email: person.email, password },
    })
    tokens.set(name, z.object({ token: z.string() }).parse(body).token)
  }
  await as('ann', 'voyage', 'POST /selections/flight', { flightId: 'zurich-kyoto' })
  const { body } = await as('ann', 'voyage', 'POST /bookings', {})
  bookingId = z.object({ bookingId: z.string() }).parse(body).bookingId
})
after(() => dreamscape[Symbol.asyncDispose]())

let bookingId: string
const password = 'a-long-password'
const problem = z.object({ type: z.string(), detail: z.string(), status: z.number() })

interface Asked {
  readonly token?: string
  readonly body?: object
}

async function ask(service: string, what: string, { token, body }: Asked) {
  const [method = '', path = ''] = what.split(' ')
  const response = await fetch(`${dreamscape.urlOf(service)}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const answered: unknown = text === '' ? null : JSON.parse(text)
  return { status: response.status, body: answered }
}

function as(name: string, service: string, what: string, body?: object) {
  const token = tokens.get(name) ?? name
  return ask(service, what, { token, ...(body === undefined ? {} : { body }) })
}

const kyoto = { flightId: 'zurich-kyoto' }
const lisbon = { flightId: 'paris-lisbon' }

type Case = readonly [
  name: string,
  who: string | null,
  service: string,
  what: string,
  body: object | undefined,
  status: number,
  type: string,
  words: RegExp,
]

const cases: readonly Case[] = [
  ['no token', null, 'user', 'GET /users/me', undefined, 401, 'token-missing', /Bearer/],
  [
    'a token of nobody',
    'x.y.z',
    'user',
    'GET /users/me',
    undefined,
    401,
    'token-invalid',
    /log in/,
  ],
  [
    'an address that is taken, in another spelling',
    null,
    'user',
    'POST /users',
    { email: 'Ann@Example.com', password, firstName: 'A', lastName: 'L' },
    409,
    'email-taken',
    /Ann@Example\.com is registered already/,
  ],
  [
    'a short password',
    null,
    'user',
    'POST /users',
    { email: 'b@example.com', password: 'short', firstName: 'B', lastName: 'L' },
    422,
    'invalid-request',
    /password/,
  ],
  [
    'a change of nothing',
    'ann',
    'user',
    'PATCH /users/me',
    {},
    422,
    'invalid-request',
    /must be given/,
  ],
  [
    'an address of nobody, in the words of a wrong password',
    null,
    'auth',
    'POST /auth/login',
    { email: 'nobody@example.com', password },
    401,
    'wrong-password',
    /no account has this e-mail address with this password/,
  ],
  [
    'a refresh token that is none',
    null,
    'auth',
    'POST /auth/refresh',
    { refreshToken: 'x' },
    401,
    'session-ended',
    /log in again/,
  ],
  [
    'a user who keeps a login',
    'ann',
    'auth',
    'PUT /auth/logins/u-9',
    { email: 'c@example.com', password },
    403,
    'services-only',
    /only the services/,
  ],
  [
    'a token that logs in, where one that resets is wanted',
    null,
    'auth',
    'PUT /auth/password/reset',
    { resetToken: 'x.y.z', newPassword: password },
    422,
    'reset-invalid',
    /ask for another/,
  ],
  [
    'a flight that is not offered',
    'ann',
    'voyage',
    'POST /selections/flight',
    { flightId: 'paris-mars' },
    404,
    'unknown-offer',
    /no flight "paris-mars"/,
  ],
  [
    'a hotel before a flight',
    'eve',
    'voyage',
    'POST /selections/hotel',
    { hotelId: 'alfama' },
    409,
    'nothing-selected',
    /select a flight first/,
  ],
  [
    'a booking of nothing',
    'eve',
    'voyage',
    'POST /bookings',
    {},
    409,
    'nothing-selected',
    /select/,
  ],
  [
    'a hold without end',
    'eve',
    'voyage',
    'POST /bookings',
    { holdSeconds: 86_400 },
    422,
    'invalid-request',
    /holdSeconds/,
  ],
  [
    'a card that is none',
    'ann',
    'payment',
    'POST /payments',
    { bookingId: 'b', card: '4242' },
    422,
    'invalid-request',
    /12 to 19 digits/,
  ],
  [
    'a payment for no booking, in the words of voyage',
    'ann',
    'payment',
    'POST /payments',
    { bookingId: 'b', card: '4242 4242 4242 4242' },
    404,
    'unknown-booking',
    /you have no booking "b"/,
  ],
  [
    'a payment of nobody',
    'ann',
    'payment',
    'GET /payments/p',
    undefined,
    404,
    'unknown-payment',
    /p/,
  ],
]
for (const [name, who, service, what, body, status, type, words] of cases) {
  test(`${name} is refused with ${status} ${type}`, async () => {
    const answer = await (who === null
      ? ask(service, what, body === undefined ? {} : { body })
      : as(who, service, what, body))
    const refusal = problem.parse(answer.body)
    assert.deepEqual([answer.status, refusal.status, refusal.type], [status, status, type])
    assert.match(refusal.detail, words)
  })
}

test("another's booking is unknown, and the last seat is gone", async () => {
  const foreign = await as('eve', 'voyage', `GET /bookings/${bookingId}`)
  assert.equal(problem.parse(foreign.body).type, 'unknown-booking')
  await as('eve', 'voyage', 'POST /selections/flight', kyoto)
  const full = await as('eve', 'voyage', 'POST /bookings', {})
  assert.equal(problem.parse(full.body).type, 'flight-full')
  // What was selected is still selected: the refusal changed nothing.
  const elsewhere = await as('eve', 'voyage', 'POST /selections/hotel', { hotelId: 'alfama' })
  assert.equal(problem.parse(elsewhere.body).type, 'hotel-elsewhere')
})

test('a booking is paid once, and then it can neither be changed nor paid again', async () => {
  await as('ann', 'voyage', 'POST /selections/flight', lisbon)
  const { body } = await as('ann', 'voyage', 'POST /bookings', {})
  const { bookingId: trip } = z.object({ bookingId: z.string() }).parse(body)
  const payment = { bookingId: trip, card: '4242 4242 4242 4242' }
  assert.equal((await as('ann', 'payment', 'POST /payments', payment)).status, 202)
  const again = await as('ann', 'payment', 'POST /payments', payment)
  assert.match(problem.parse(again.body).detail, /is paying, and cannot be paid/)
  const changed = await as('ann', 'voyage', `PATCH /bookings/${trip}`, { nights: 2 })
  assert.match(problem.parse(changed.body).detail, /is paying, and cannot be changed/)
})

test('a session that has ended renews no token', async () => {
  const { body } = await ask('auth', 'POST /auth/login', {
    body: { email: 'eve@example.com', password },
  })
  const { token, refreshToken } = z
    .object({ token: z.string(), refreshToken: z.string() })
    .parse(body)
  const renewed = await ask('auth', 'POST /auth/refresh', { body: { refreshToken } })
  assert.equal(renewed.status, 200)
  const reused = await ask('auth', 'POST /auth/refresh', { body: { refreshToken } })
  assert.equal(problem.parse(reused.body).type, 'session-ended')
  assert.equal((await ask('auth', 'POST /auth/logout', { token })).status, 204)
  const next = z.object({ refreshToken: z.string() }).parse(renewed.body)
  const late = await ask('auth', 'POST /auth/refresh', { body: next })
  assert.equal(problem.parse(late.body).type, 'session-ended')
})
