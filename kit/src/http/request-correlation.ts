import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock, Random } from '../clock.ts'
import { type Correlation, withCorrelation } from '../correlation.ts'
import { newEventId } from '../event-id.ts'

const correlations = new WeakMap<FastifyRequest, Correlation>()

/** The correlation id of a request: the one that it brought, else a new one. */
export function correlationIdOf(request: FastifyRequest): string | undefined {
  return correlations.get(request)?.correlationId
}

/**
 * Gives each request a correlation: its `x-correlation-id`, else a new one, which the reply
 * carries too; and its `traceparent`. What its handler publishes inherits both.
 */
export function correlateRequests(http: FastifyInstance, clock: Clock, random: Random): void {
  http.addHook('onRequest', (request, reply, done) => {
    const brought = request.headers['x-correlation-id']
    const correlationId =
      typeof brought === 'string' && /^[\x21-\x7e]{1,128}$/.test(brought)
        ? brought
        : newEventId(clock.nowMs(), random)
    const { traceparent, tracestate } = request.headers
    const isTrace = typeof traceparent === 'string' && traceparentPattern.test(traceparent)
    correlations.set(request, {
      correlationId,
      causationId: null,
      traceparent: isTrace ? traceparent : null,
      tracestate: isTrace && typeof tracestate === 'string' ? tracestate : null,
    })
    reply.header('x-correlation-id', correlationId)
    done()
  })
  // Not earlier: what reads the body runs in a context of its own, and would lose it.
  http.addHook('preHandler', (request, _reply, done) => {
    const correlation = correlations.get(request)
    if (correlation === undefined) done()
    else withCorrelation(correlation, done)
  })
}

/** W3C Trace Context, version 00: trace id, parent id, flags. */
const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
