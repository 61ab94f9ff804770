// A payment provider for development: it declines one card, leaves another without an answer, and
// can be taken down. Production sets PAYMENT_PROVIDER_URL to what speaks to a real one.
//
// D1. The id of a charge or a refund follows from its key alone: asked again, also after a
//     restart, it answers the same.
// D2. While it is down it hangs up on whoever asks for money; its page and switches answer.
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { z } from 'zod'
import { providerEntriesMax } from '../limits.ts'
import { providerPage } from './page.ts'

export interface ProviderState {
  readonly isUp: boolean
  /** Whether cards that end in 0119 get no answer. */
  readonly isSilent: boolean
  /** Newest first. */
  readonly entries: readonly Entry[]
}

interface Entry {
  readonly id: string
  readonly what: 'charge' | 'refund'
  readonly amountCents: number
}

export interface Provider extends AsyncDisposable {
  readonly url: string
  readonly state: ProviderState
  turn(change: Partial<Pick<ProviderState, 'isUp' | 'isSilent'>>): void
}

/** Starts it on 127.0.0.1; port 0 lets the system choose. */
export async function startProvider({ port }: { readonly port: number }): Promise<Provider> {
  const books = new Books()
  const http = fastify({ forceCloseConnections: true })
  // The page's own forms post no body; what a browser sends with them is not looked at.
  http.addContentTypeParser('application/x-www-form-urlencoded', (_request, body, done) => {
    body.resume()
    done(null)
  })
  moneyRoutes(http, books)
  switchRoutes(http, books)
  await http.listen({ port, host: '127.0.0.1' })
  return {
    url: http.listeningOrigin,
    get state() {
      return books.state
    },
    turn: (change) => books.turn(change),
    [Symbol.asyncDispose]: () => http.close(),
  }
}

class Books {
  readonly #entries = new Map<string, Entry>()
  #isUp = true
  #isSilent = true

  get state(): ProviderState {
    const entries = [...this.#entries.values()].toReversed()
    return { isUp: this.#isUp, isSilent: this.#isSilent, entries }
  }

  turn({ isUp = this.#isUp, isSilent = this.#isSilent }: Parameters<Provider['turn']>[0]): void {
    this.#isUp = isUp
    this.#isSilent = isSilent
  }

  enter(entry: Entry): void {
    this.#entries.set(entry.id, entry)
    const [oldest] = this.#entries.keys()
    if (this.#entries.size > providerEntriesMax && oldest !== undefined) {
      this.#entries.delete(oldest)
    }
  }
}

const amountCents = z.int().positive()
const charge = z.object({ key: z.string().min(1), amountCents, card: z.string().min(12) })
const refund = z.object({ key: z.string().min(1), amountCents, chargeId: z.string().min(1) })

function moneyRoutes(http: FastifyInstance, books: Books): void {
  http.post('/charges', async ({ body }, reply) => {
    const asked = charge.safeParse(body)
    if (!books.state.isUp) return hangUp(reply)
    if (!asked.success) return reply.code(422).send({ reason: z.prettifyError(asked.error) })
    const { key, amountCents, card } = asked.data
    if (card.endsWith('0002')) return reply.code(402).send({ reason: 'the card is declined' })
    // Whoever asks gives up first; the connection is closed when this server is.
    if (card.endsWith('0119') && books.state.isSilent) return reply.hijack()
    const id = `charge-${key}`
    books.enter({ id, what: 'charge', amountCents })
    return reply.code(201).send({ chargeId: id })
  })

  http.post('/refunds', async ({ body }, reply) => {
    const asked = refund.safeParse(body)
    if (!books.state.isUp) return hangUp(reply)
    if (!asked.success) return reply.code(422).send({ reason: z.prettifyError(asked.error) })
    const { key, amountCents } = asked.data
    const id = `refund-${key}`
    books.enter({ id, what: 'refund', amountCents })
    return reply.code(201).send({ refundId: id })
  })
}

function hangUp(reply: FastifyReply): FastifyReply {
  const hijacked = reply.hijack()
  reply.raw.destroy()
  return hijacked
}

function switchRoutes(http: FastifyInstance, books: Books): void {
  http.get('/', (_request, reply) => reply.type('text/html').send(providerPage(books.state)))
  http.get('/state', () => books.state)
  for (const [path, change] of [
    ['/down', { isUp: false }],
    ['/up', { isUp: true }],
    ['/silence/on', { isSilent: true }],
    ['/silence/off', { isSilent: false }],
  ] as const) {
    http.post(path, async (request, reply) => {
      if (comesFromAnotherSite(request)) return reply.code(403).send('only from its own page\n')
      books.turn(change)
      const fromPage = request.headers.accept?.includes('text/html') ?? false
      const { isUp, isSilent } = books.state
      return fromPage ? reply.redirect('/', 303) : { isUp, isSilent }
    })
  }
}

/** Any page of the web can post to localhost; a browser says when one does. */
function comesFromAnotherSite({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-site'] === 'cross-site'
}
