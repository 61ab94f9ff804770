// Payments over HTTP: pay for a booking, and see what became of it.
import { randomUUID } from 'node:crypto'
import type { ServerContext } from '@millrace/kit'
import { accepted, Problem } from '@millrace/kit/http'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Dreamscape } from '../../catalogue.ts'
import type { Tokens } from '../bearer.ts'
import type { Neighbour } from '../neighbour.ts'
import { problems } from '../problems.ts'
import { findPayment, said } from './payments.ts'
import type { PaymentTables } from './tables.ts'

export interface PaymentParts {
  readonly running: ServerContext<Dreamscape, PaymentTables>
  readonly tokens: Tokens
  /** With the services' own token. */
  readonly voyage: Neighbour
}

export function paymentRoutes(http: FastifyInstance, parts: PaymentParts): void {
  const { running, tokens, voyage } = parts

  http.post('/payments', { config: notes.pay }, async ({ headers, body }, reply) => {
    const { userId } = await tokens.read(headers)
    const { bookingId, card } = await accepted(newPayment, body)
    const paymentId = `payment-${randomUUID()}`
    // Voyage knows what it costs, and lets nobody pay twice.
    const amountCents = await holdBooking(voyage, { bookingId, userId, paymentId })
    const payment = { paymentId, bookingId, userId, amountCents, card, status: 'initiated' }
    await running.transaction(async ({ db, publish }) => {
      const row = { ...payment, chargeId: null, refundedCents: 0 }
      await db.insertInto('payments').values(row).execute()
      await publish('payment.initiated', { payload: said(row) })
    })
    return reply.code(202).send({ paymentId, bookingId, amountCents, status: 'initiated' })
  })

  http.get('/payments/:paymentId', { config: notes.payment }, async ({ headers, params }) => {
    const { userId } = await tokens.read(headers)
    const { paymentId } = await accepted(paymentPath, params)
    const payment = await findPayment(running.read, paymentId)
    if (payment?.userId !== userId) throw problems.unknownPayment(paymentId)
    const { bookingId, amountCents, refundedCents, status } = payment
    return { paymentId, bookingId, amountCents, refundedCents, status }
  })
}

interface Held {
  readonly bookingId: string
  readonly userId: string
  readonly paymentId: string
}

/** What the booking costs. Voyage's refusals are passed on as they are. */
async function holdBooking(voyage: Neighbour, { bookingId, ...body }: Held): Promise<number> {
  const path = `/bookings/${encodeURIComponent(bookingId)}/payment`
  const held = await voyage.ask({ method: 'PUT', path, body })
  if (held.kind !== 'answered') throw problems.unavailable(held.reason)
  const booking = z.object({ totalCents: z.int() }).safeParse(held.body)
  if (booking.success) return booking.data.totalCents
  const refusal = z.object({ type: z.string(), detail: z.string() }).safeParse(held.body)
  if (held.status === 403 || !refusal.success) {
    throw problems.unavailable(`voyage answers ${held.status}`)
  }
  throw new Problem({ status: held.status, ...refusal.data })
}

/** Digits, with spaces for people. */
const card = z
  .string()
  .transform((text) => text.replaceAll(' ', ''))
  .pipe(z.string().regex(/^\d{12,19}$/, 'must be 12 to 19 digits'))

const newPayment = z.object({ bookingId: z.string().min(1).max(100), card })
const paymentPath = z.object({ paymentId: z.string() })

/** What the front page says of each route. */
const notes = {
  pay: {
    about: 'Pay for a booking. …0002 is declined, …0119 gets no answer from the provider',
    needsToken: true,
    example: { bookingId: 'booking-…', card: '4242 4242 4242 4242' },
  },
  payment: { about: 'What became of a payment', needsToken: true },
}
