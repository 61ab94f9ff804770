import { z } from 'zod'

const email = 'john@example.com'
const firstPassword = 'a-long-password'

export interface Trip {
  readonly flightId: string
  readonly hotelId?: string
  readonly nights?: number
  readonly holdSeconds?: number
}

/** Somebody who uses DreamScape over HTTP, with a token after the login: for scenario and tests. */
export class Customer {
  readonly #urlOf: (service: string) => string
  #token = ''
  #refreshToken = ''

  constructor(urlOf: (service: string) => string) {
    this.#urlOf = urlOf
  }

  async register(): Promise<void> {
    const name = { firstName: 'John', lastName: 'Doe' }
    await this.ask('user', 'POST /users', { email, password: firstPassword, ...name })
  }

  async logIn(password = firstPassword): Promise<void> {
    this.#keep(await this.ask('auth', 'POST /auth/login', { email, password }))
  }

  async refresh(): Promise<void> {
    const refreshToken = this.#refreshToken
    this.#keep(await this.ask('auth', 'POST /auth/refresh', { refreshToken }))
  }

  /** The type of the refusal. */
  async guess(password: string): Promise<string> {
    const response = await this.#send('auth', 'POST /auth/login', { email, password })
    return z.object({ type: z.string() }).parse(await response.json()).type
  }

  /** Searches, selects and books; the booking's id. */
  async book({ flightId, hotelId, nights, holdSeconds = 900 }: Trip): Promise<string> {
    const destination = flightId.split('-')[1] ?? ''
    await this.ask('voyage', `GET /search?to=${destination}`)
    await this.ask('voyage', 'POST /selections/flight', { flightId })
    if (hotelId) await this.ask('voyage', 'POST /selections/hotel', { hotelId, nights })
    const booked = await this.ask('voyage', 'POST /bookings', { holdSeconds })
    return z.object({ bookingId: z.string() }).parse(booked).bookingId
  }

  async pay(bookingId: string, card: string): Promise<void> {
    await this.ask('payment', 'POST /payments', { bookingId, card })
  }

  /** What became of a booking, once that is settled. */
  async settled(bookingId: string): Promise<string> {
    const settled = z.object({ status: z.string(), reason: z.string().optional() })
    for (;;) {
      const answer = await this.ask('voyage', `GET /bookings/${bookingId}`)
      const { status, reason } = settled.parse(answer)
      if (status === 'confirmed') return status
      if (status === 'cancelled') return `${status}, ${reason}`
    }
  }

  /** Asks a service: `ask('voyage', 'GET /bookings')`. Rejects where it refuses. */
  async ask(service: string, what: string, body?: object): Promise<unknown> {
    const response = await this.#send(service, what, body)
    const text = await response.text()
    if (!response.ok) throw new Error(`${what}: ${text}`)
    return text === '' ? null : JSON.parse(text)
  }

  #send(service: string, what: string, body?: object): Promise<Response> {
    const [method = '', path = ''] = what.split(' ')
    return fetch(`${this.#urlOf(service)}${path}`, {
      method,
      headers: {
        prefer: 'wait=10',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  #keep(answer: unknown): void {
    const session = z.object({ token: z.string(), refreshToken: z.string() }).parse(answer)
    this.#token = session.token
    this.#refreshToken = session.refreshToken
  }
}
