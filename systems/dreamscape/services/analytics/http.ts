// Analytics over HTTP: what visitors do comes in, and what all of it adds up to goes out.
import type { ServerContext } from '@millrace/kit'
import { accepted } from '@millrace/kit/http'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Dreamscape } from '../../catalogue.ts'
import type { AnalyticsTables } from './tables.ts'

export function analyticsRoutes(
  http: FastifyInstance,
  { transaction, read }: Pick<ServerContext<Dreamscape, AnalyticsTables>, 'transaction' | 'read'>,
): void {
  http.post('/page-views', { config: notes.view }, async ({ body }, reply) => {
    const payload = await accepted(pageView, body)
    await transaction(({ publish }) => publish('analytics.page.view', { payload }))
    return reply.code(202).send(payload)
  })

  http.post('/events', { config: notes.track }, async ({ body }, reply) => {
    const payload = await accepted(trackedEvent, body)
    await transaction(({ publish }) => publish('analytics.event.tracked', { payload }))
    return reply.code(202).send(payload)
  })

  http.get('/counts', { config: notes.counts }, async () => {
    const counts = await read.selectFrom('counts').selectAll().orderBy('eventType').execute()
    return Object.fromEntries(counts.map(({ eventType, count }) => [eventType, count]))
  })

  http.get('/pages', { config: notes.pages }, async () =>
    read.selectFrom('pages').selectAll().orderBy('views', 'desc').limit(pagesShownMax).execute(),
  )

  http.get('/money', { config: notes.money }, async () => {
    const rows = await read.selectFrom('money').selectAll().execute()
    const centsOf = (wanted: string) => rows.find(({ what }) => what === wanted)?.cents ?? 0
    return { receivedCents: centsOf('received'), returnedCents: centsOf('returned') }
  })
}

const pagesShownMax = 100
const word = z.string().min(1).max(200)

const pageView = z.object({ visitorId: word, path: word.startsWith('/') })
const trackedEvent = z.object({
  visitorId: word,
  name: word,
  properties: z.record(word, z.union([word, z.number(), z.boolean()])).default({}),
})

/** What the front page says of each route. */
const notes = {
  view: {
    about: 'A page was seen',
    example: { visitorId: 'visitor-1', path: '/destinations/lisbon' },
  },
  track: {
    about: 'Something else was done',
    example: { visitorId: 'visitor-1', name: 'video-played', properties: { seconds: 12 } },
  },
  counts: { about: 'How often each event was heard' },
  pages: { about: 'The pages that are seen most' },
  money: { about: 'What was paid, and what was returned' },
}
