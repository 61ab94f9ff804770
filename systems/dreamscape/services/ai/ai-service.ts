// Learns from the streams what people like; recommends, predicts, and says what it makes of them.
import { randomUUID } from 'node:crypto'
import { type HandlerContext, type ServerContext, service } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { catalogue, type Dreamscape, groupOf, type Heard } from '../../catalogue.ts'
import { readSettings, variables } from '../../settings.ts'
import { Tokens } from '../bearer.ts'
import { analyse, predictNext, recommend } from './judgement.ts'
import { forget, like, likingsOf, likingsOfAll, pointsOf } from './likings.ts'
import { type AiTables, tables } from './tables.ts'

type Context = Pick<HandlerContext<Dreamscape, AiTables>, 'db' | 'publish'>

const { AUTH_SERVICE_URL } = variables

export const aiService = service('dreamscape-ai-service', {
  catalogue,
  tables,
  group: groupOf('ai'),
  source: 'ai-service',
})
  .with(({ env }) => ({
    tokens: Tokens.of(readSettings('dreamscape-ai-service', env, { AUTH_SERVICE_URL })),
  }))
  .on('voyage.search.performed', ({ payload: { visitorId: userId, destination } }, { db }) =>
    like(db, { userId, destination, points: pointsOf.search }),
  )
  .on('voyage.flight.selected', ({ payload }, { db }) =>
    like(db, { ...payload, points: pointsOf.selection }),
  )
  .on('voyage.hotel.selected', ({ payload }, { db }) =>
    like(db, { ...payload, points: pointsOf.selection }),
  )
  .on('voyage.booking.created', predict)
  .on('analytics.page.view', ({ payload: { visitorId: userId, path } }, { db }) =>
    like(db, { userId, destination: destinationIn(path), points: pointsOf.view }),
  )
  .on('analytics.event.tracked', ({ payload: { visitorId: userId, properties } }, { db }) => {
    const { destination } = properties
    const about = typeof destination === 'string' ? destination : null
    return like(db, { userId, destination: about, points: pointsOf.view })
  })
  .on('user.preferences.updated', async ({ payload: { userId, interests } }, { db }) => {
    for (const destination of interests) {
      await like(db, { userId, destination, points: pointsOf.interest })
    }
  })
  .on('user.deleted', ({ payload }, { db }) => forget(db, payload.userId))
  .on('ai.recommendation.requested', generate)
  .on('auth.logout', analyseSession)
  .serve((running) =>
    startHttp(running, { routes: (http) => aiRoutes(http, { running, ...running.resources }) }),
  )

async function predict(
  { payload: { userId, destination } }: Heard<'voyage.booking.created'>,
  { db, publish }: Context,
): Promise<void> {
  await like(db, { userId, destination, points: pointsOf.booking })
  const prediction = predictNext(await likingsOf(db, userId), destination)
  if (prediction !== null) {
    await publish('ai.prediction.made', { payload: { userId, ...prediction } })
  }
}

async function generate(
  { payload: { userId, requestId } }: Heard<'ai.recommendation.requested'>,
  { db, publish }: Context,
): Promise<void> {
  const chosen = recommend(await likingsOf(db, userId), await likingsOfAll(db))
  const row = { requestId, destinations: JSON.stringify(chosen) }
  await db
    .insertInto('recommendations')
    .values({ userId, ...row })
    .onConflict((conflict) => conflict.column('userId').doUpdateSet(row))
    .execute()
  const payload = { userId, requestId, destinations: [...chosen] }
  await publish('ai.recommendation.generated', { payload })
}

/** A session is over: what has it told? */
async function analyseSession(
  { payload: { userId } }: Heard<'auth.logout'>,
  { db, publish }: Context,
): Promise<void> {
  const behaviour = analyse(await likingsOf(db, userId))
  await publish('ai.user.behavior.analyzed', { payload: { userId, ...behaviour } })
}

function destinationIn(path: string): string | null {
  return /^\/destinations\/([\w-]+)$/.exec(path)?.[1] ?? null
}

interface AiParts {
  readonly running: ServerContext<Dreamscape, AiTables>
  readonly tokens: Tokens
}

function aiRoutes(http: FastifyInstance, { running, tokens }: AiParts): void {
  http.post('/recommendations', { config: notes.ask }, async ({ headers }, reply) => {
    const { userId } = await tokens.read(headers)
    const requestId = randomUUID()
    await running.transaction(({ publish }) =>
      publish('ai.recommendation.requested', { payload: { userId, requestId } }),
    )
    return reply.code(202).send({ requestId })
  })

  http.get('/recommendations', { config: notes.see }, async ({ headers }) => {
    const { userId } = await tokens.read(headers)
    const latest = await running.read
      .selectFrom('recommendations')
      .select(['requestId', 'destinations'])
      .where('userId', '=', userId)
      .executeTakeFirst()
    if (latest === undefined) return { requestId: null, destinations: [] }
    const destinations = z.array(z.string()).parse(JSON.parse(latest.destinations))
    return { requestId: latest.requestId, destinations }
  })
}

/** What the front page says of each route. */
const notes = {
  ask: { about: 'Ask for a recommendation; it comes as a message', needsToken: true },
  see: { about: 'The latest recommendation', needsToken: true },
}
