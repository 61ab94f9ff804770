// A day in the life of DreamScape: its demonstration, and its test. It starts all of it in this
// process, talks to it over HTTP as people do, and prints what happens.
import { setTimeout as pause } from 'node:timers/promises'
import { startBroker } from '@millrace/broker'
import { z } from 'zod'
import { Customer } from './test/customer.ts'
import { type RunningDreamscape, startDreamscape } from './test/start-dreamscape.ts'

type Tell = (what: string, messages: number, happen: () => Promise<unknown>) => Promise<void>

/** What each chapter is told with. */
interface Told {
  readonly dreamscape: RunningDreamscape
  readonly john: Customer
  readonly tell: Tell
  readonly say: (line: string) => void
}

export async function scenario(
  dreamscape: RunningDreamscape,
  say: (line: string) => void,
): Promise<void> {
  const john = new Customer(dreamscape.urlOf)
  const told = { dreamscape, john, say, tell: storyteller(say, dreamscape) }
  await account(told)
  await aTripThatIsPaid(told)
  await tripsThatAreNot(told)
  await aProviderInTrouble(told)
  await wrongPasswords(told)
  await goodbye(told)
  say('heard by analytics:')
  await until(async () => Object.keys(await counts(john)).length === 32)
  await quiet(dreamscape)
  const heard = await counts(john)
  for (const [eventType, count] of Object.entries(heard)) say(`  ${count} ${eventType}`)
  const { receivedCents, returnedCents } = money.parse(await john.ask('analytics', 'GET /money'))
  say(`  ${receivedCents / 100} EUR received, ${returnedCents / 100} EUR returned`)
}

async function account({ dreamscape, john, tell }: Told): Promise<void> {
  await tell('john registers', 1, () => john.register())
  await tell('he logs in, and says how he wants to be told, and what he dreams of', 0, async () => {
    await john.logIn()
    await john.ask('user', 'PATCH /users/me', { lastName: 'Roe' })
    await john.ask('user', 'PUT /users/me/profile', { phone: '+351 555 0100', homeAirport: 'PAR' })
    const channels = ['email', 'sms', 'push']
    await john.ask('user', 'PUT /users/me/preferences', { channels, interests: ['oslo'] })
    await john.ask('analytics', 'POST /page-views', {
      visitorId: 'visitor',
      path: '/destinations/lisbon',
    })
    await john.ask('analytics', 'POST /events', { visitorId: 'visitor', name: 'video-played' })
    await quiet(dreamscape)
  })
}

async function aTripThatIsPaid({ dreamscape, john, tell, say }: Told): Promise<void> {
  let trip = ''
  await tell('he books three nights in Lisbon and pays: confirmed', 3, async () => {
    trip = await john.book({ flightId: 'paris-lisbon', hotelId: 'alfama', nights: 3 })
    await john.pay(trip, goodCard)
    say(`  booking: ${await john.settled(trip)}`)
  })
  await tell('he stays a night less: 90 EUR are returned', 2, () =>
    john.ask('voyage', `PATCH /bookings/${trip}`, { nights: 2 }),
  )
  await tell('he cancels it: the rest is returned', 3, async () => {
    await john.ask('voyage', `DELETE /bookings/${trip}`)
    say(`  booking: ${await john.settled(trip)}`)
    await quiet(dreamscape)
  })
}

async function tripsThatAreNot({ john, tell, say }: Told): Promise<void> {
  await tell('he books the last seat to Kyoto, and his card is declined', 3, async () => {
    const trip = await john.book({ flightId: 'zurich-kyoto' })
    await john.pay(trip, declinedCard)
    say(`  booking: ${await john.settled(trip)}`)
  })
  await tell('its seat is free again: he books it, and forgets to pay', 2, async () => {
    const trip = await john.book({ flightId: 'zurich-kyoto', holdSeconds: 1 })
    say(`  booking: ${await john.settled(trip)}`)
  })
}

async function aProviderInTrouble({ dreamscape, john, tell, say }: Told): Promise<void> {
  const { provider, services } = dreamscape
  const payment = services.get('payment')
  let trip = ''
  await tell(
    'the payment provider goes down; he books Oslo, pays, and is answered',
    0,
    async () => {
      provider.turn({ isUp: false })
      trip = await john.book({ flightId: 'paris-oslo' })
      await john.pay(trip, goodCard)
      await until(async () => (await payment?.health())?.consumer?.outages.length === 1)
    },
  )
  await tell('the provider is up again', 3, async () => {
    provider.turn({ isUp: true })
    say(`  booking: ${await john.settled(trip)}`)
  })
  await tell('he books once more, with a card that gets no answer: parked', 0, async () => {
    trip = await john.book({ flightId: 'paris-oslo' })
    await john.pay(trip, silentCard)
    await until(async () => (await payment?.deadLetters.list())?.length === 1)
    for (const { eventType, reason } of (await payment?.deadLetters.list()) ?? []) {
      say(`  parked: ${eventType}: ${reason}`)
    }
  })
  await tell('the provider answers; what is parked is redriven', 3, async () => {
    provider.turn({ isSilent: false })
    await payment?.deadLetters.redrive({ key: trip })
    say(`  booking: ${await john.settled(trip)}`)
  })
}

async function wrongPasswords({ dreamscape, john, tell, say }: Told): Promise<void> {
  await tell('he asks what else he may like, and logs out', 1, async () => {
    await john.ask('ai', 'POST /recommendations')
    await john.refresh()
    await john.ask('auth', 'POST /auth/logout')
    await quiet(dreamscape)
  })
  await tell('somebody guesses his password five times: the account is locked', 2, async () => {
    for (let guess = 1; guess <= 5; guess += 1) say(`  ${await john.guess(`password-${guess}`)}`)
    say(`  ${await john.guess('a-long-password')}, with the right one`)
  })
  await tell('he has a mail sent, and resets it', 2, async () => {
    const email = 'john@example.com'
    const before = dreamscape.mailbox.mails.length
    await john.ask('auth', 'POST /auth/password/reset', { email })
    await dreamscape.mailbox.arrived(before + 1)
    const resetToken = /: (\S+)$/.exec(dreamscape.mailbox.mails[0]?.text ?? '')?.[1]
    const newPassword = 'a-longer-password'
    await john.ask('auth', 'PUT /auth/password/reset', { resetToken, newPassword })
    await john.logIn(newPassword)
    const me = z.object({ segment: z.string() }).parse(await john.ask('user', 'GET /users/me'))
    say(`  he is a ${me.segment}`)
  })
}

async function goodbye({ dreamscape, john, tell }: Told): Promise<void> {
  await tell('he deletes his account', 0, async () => {
    await john.ask('user', 'DELETE /users/me')
    await quiet(dreamscape)
  })
}

const goodCard = '4242 4242 4242 4242'
const declinedCard = '4000 0000 0000 0002'
const silentCard = '4000 0000 0000 0119'

const money = z.object({ receivedCents: z.number(), returnedCents: z.number() })

async function counts(john: Customer): Promise<Readonly<Record<string, number>>> {
  return z.record(z.string(), z.number()).parse(await john.ask('analytics', 'GET /counts'))
}

/** Prints what happens, waits for so many messages, and prints them, sorted: they race. */
function storyteller(say: Told['say'], { mailbox }: RunningDreamscape): Tell {
  let told = 0
  return async (what, messages, happen) => {
    say(what)
    await inTime(what, happen())
    await inTime(`${what} (${messages} messages)`, mailbox.arrived(told + messages))
    const arrived = mailbox.mails.toReversed().slice(told)
    const lines = arrived.map(
      ({ via, subject, text }) => `  ${via}: ${subject || text.split('\n')[0]}`,
    )
    for (const line of lines.sort()) say(line)
    told += arrived.length
  }
}

/** Resolves when every service has heard what there is, and has nothing to say. */
async function quiet({ services }: RunningDreamscape): Promise<void> {
  let quietTurns = 0
  while (quietTurns < 3) {
    const healths = await Promise.all([...services.values()].map(({ health }) => health()))
    const isQuiet = healths.every(
      ({ lag, outbox, consumer }) =>
        outbox.unsent === 0 && consumer?.events === 0 && lag.every((at) => at.lag === 0n),
    )
    quietTurns = isQuiet ? quietTurns + 1 : 0
    await pause(50)
  }
}

/** A step takes a few seconds at most; one that takes this long would never end. */
const stepMsMax = 60_000

async function inTime(what: string, done: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  const late = pause(stepMsMax, undefined, { signal: over.signal }).then(() => {
    throw new Error(`nothing happens any more at "${what}"`)
  })
  try {
    await Promise.race([done, late])
  } finally {
    over.abort()
  }
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await pause(50)
}

if (import.meta.main) {
  await using broker = await startBroker({})
  await using dreamscape = await startDreamscape({ env: { KAFKA_BROKERS: broker.bootstrap } })
  await scenario(dreamscape, console.log)
}
