// Trips over HTTP: search, select, book, look, change, cancel.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { ServerContext } from '@millrace/kit'
import { accepted } from '@millrace/kit/http'
import type { FastifyInstance } from 'fastify'
import type { Dreamscape } from '../../catalogue.ts'
import { waitPollMs } from '../../limits.ts'
import { servicesOnly, type Tokens } from '../bearer.ts'
import { answer } from '../plain.ts'
import { problems } from '../problems.ts'
import { type Booking, insertBooking, moveBooking, ownBooking } from './bookings.ts'
import { priceOf } from './offers.ts'
import { askForCancellation } from './reactions.ts'
import * as requests from './requests.ts'
import { searchRoutes } from './search.ts'
import type { VoyageTables } from './tables.ts'

export interface VoyageParts {
  readonly running: ServerContext<Dreamscape, VoyageTables>
  readonly tokens: Tokens
  /** What the other services show. */
  readonly serviceToken: string
}

export function voyageRoutes(http: FastifyInstance, parts: VoyageParts): void {
  searchRoutes(http, parts)
  bookingRoutes(http, parts)
  changeRoutes(http, parts)
}

function bookingRoutes(http: FastifyInstance, { running, tokens }: VoyageParts): void {
  http.post('/bookings', { config: notes.book }, async (request, reply) => {
    const { userId } = await tokens.read(request.headers)
    const { holdSeconds } = await accepted(requests.newBooking, request.body ?? {})
    const booking = await running.transaction(async ({ db, publish }) => {
      const selection = await db
        .deleteFrom('selections')
        .where('userId', '=', userId)
        .returning(['flightId', 'hotelId', 'nights'])
        .executeTakeFirst()
      if (selection === undefined) throw problems.nothingSelected()
      const bookingId = `booking-${randomUUID()}`
      const payBy = new Date(Date.now() + holdSeconds * 1000).toISOString()
      const made = await insertBooking(db, { bookingId, userId, selection, payBy })
      const { status: _, paymentId: _none, reason: _neither, ...payload } = made
      await publish('voyage.booking.created', { payload })
      return made
    })
    reply.code(201)
    return answer(request, reply, { word: booking.bookingId, body: shown(booking) })
  })

  http.get('/bookings', { config: notes.bookings }, async ({ headers }) => {
    const { userId } = await tokens.read(headers)
    const bookings = await running.read
      .selectFrom('bookings')
      .selectAll()
      .where('userId', '=', userId)
      .orderBy('payBy')
      .execute()
    return bookings.map(shown)
  })

  http.get('/bookings/:bookingId', { config: notes.booking }, async ({ headers, params }) => {
    const { userId } = await tokens.read(headers)
    const { bookingId } = await accepted(requests.bookingPath, params)
    const untilMs = Date.now() + requests.waitSecondsOf(headers['prefer']) * 1000
    for (;;) {
      const booking = await ownBooking(running.read, bookingId, userId)
      const isSettled = booking.status === 'confirmed' || booking.status === 'cancelled'
      if (isSettled || Date.now() >= untilMs || !running.ready) return shown(booking)
      await pause(waitPollMs)
    }
  })
}

function changeRoutes(http: FastifyInstance, parts: VoyageParts): void {
  const { running, tokens, serviceToken } = parts

  http.patch('/bookings/:bookingId', { config: notes.change }, async (request) => {
    const { userId } = await tokens.read(request.headers)
    const { bookingId } = await accepted(requests.bookingPath, request.params)
    const { nights } = await accepted(requests.stay, request.body)
    return running.transaction(async ({ db, publish }) => {
      const before = await ownBooking(db, bookingId, userId)
      const isPaid = before.status === 'confirmed'
      const totalCents = priceOf({ ...before, nights })
      if (isPaid && totalCents > before.totalCents) throw problems.dearer(bookingId)
      const status = isPaid ? 'confirmed' : 'awaiting payment'
      const change = { nights, totalCents }
      const changed = await moveBooking(db, bookingId, { from: [status], to: status, change })
      if (changed === undefined) throw problems.wrongState(bookingId, before.status, 'changed')
      const { destination } = changed
      const refundCents = isPaid ? before.totalCents - totalCents : 0
      const trip = { bookingId, userId, destination }
      const payload = { ...trip, change: 'nights', nights, totalCents, refundCents } as const
      await publish('voyage.booking.updated', { payload })
      return shown(changed)
    })
  })

  http.delete('/bookings/:bookingId', { config: notes.cancel }, async (request, reply) => {
    const { userId } = await tokens.read(request.headers)
    const { bookingId } = await accepted(requests.bookingPath, request.params)
    const cancelling = await running.transaction(async ({ db, publish }) => {
      const before = await ownBooking(db, bookingId, userId)
      const moved = await moveBooking(db, bookingId, {
        from: ['awaiting payment', 'paying', 'confirmed'],
        to: 'cancelling',
      })
      if (moved === undefined) throw problems.wrongState(bookingId, before.status, 'cancelled')
      await askForCancellation(publish, moved)
      return moved
    })
    return reply.code(202).send(shown(cancelling))
  })

  http.put('/bookings/:bookingId/payment', { config: notes.hold }, async (request) => {
    servicesOnly(request.headers, serviceToken)
    const { bookingId } = await accepted(requests.bookingPath, request.params)
    const { userId, paymentId } = await accepted(requests.hold, request.body)
    return running.transaction(async ({ db }) => {
      const before = await ownBooking(db, bookingId, userId)
      const held = await moveBooking(db, bookingId, {
        from: ['awaiting payment'],
        to: 'paying',
        change: { paymentId },
      })
      if (held === undefined) throw problems.wrongState(bookingId, before.status, 'paid')
      return shown(held)
    })
  })
}

/** What a customer sees of a booking. */
function shown({ reason, paymentId, ...booking }: Booking) {
  const { bookingId, destination, flightId, hotelId, nights, totalCents, status, payBy } = booking
  const trip = { bookingId, status, destination, flightId, hotelId, nights, totalCents, payBy }
  return {
    ...trip,
    ...(paymentId === null ? {} : { paymentId }),
    ...(reason === null ? {} : { reason }),
  }
}

const needsToken = true

/** What the front page says of each route. */
const notes = {
  book: {
    about: 'Book what is selected, and pay within holdSeconds; "Accept: text/plain" gives the id',
    needsToken,
    example: { holdSeconds: 900 },
  },
  bookings: { about: 'Your bookings', needsToken },
  booking: { about: 'A booking; with "Prefer: wait=10", once it is settled', needsToken },
  change: { about: 'Stay longer, or shorter; of a paid one the rest is returned', needsToken },
  cancel: { about: 'Ask for its cancellation', needsToken },
  hold: { about: 'Take it for a payment, for services only', rateLimit: false },
} as const
