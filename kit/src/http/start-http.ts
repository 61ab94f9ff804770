import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { systemClock } from '../clock.ts'
import { httpBodyBytesMax, httpRequestsPerMinuteMax, httpRequestTimeoutMs } from '../limits.ts'
import type { Log } from '../log.ts'
import type { RunningServer } from '../server.ts'
import { serveFrontPage } from './front-page.ts'
import { type HealthSource, serveHealth } from './health-routes.ts'
import { closeAfterLastReply, type ListenSource, listen } from './listen.ts'
import { Problem, problemOf } from './problem.ts'
import { correlateRequests, correlationIdOf } from './request-correlation.ts'
import { listRoutes, methodsOf, type RouteNote } from './route-list.ts'

/** What of a running service its HTTP server works with. */
export interface HttpSource extends HealthSource, ListenSource {
  readonly log: Log
}

export interface HttpOptions {
  /** Adds the service's own routes. They throw a `Problem` for what they refuse. */
  readonly routes?: (http: FastifyInstance) => void
  /** Requests a minute from one address. Default: 6,000. */
  readonly requestsPerMinuteMax?: number
}

/**
 * A service's HTTP server: its routes, `/health`, `/ready`, `/health/kafka`, and a front page
 * that lists them all. Whatever is refused is answered as problem details (RFC 9457). It listens
 * on localhost, on both of its addresses, or on `HTTP_HOST` where that is set. Throws
 * `port-in-use`.
 */
export async function startHttp(
  running: HttpSource,
  { routes, requestsPerMinuteMax = httpRequestsPerMinuteMax }: HttpOptions = {},
): Promise<RunningServer> {
  const { log, name } = running
  const http = fastify({ bodyLimit: httpBodyBytesMax, requestTimeout: httpRequestTimeoutMs })
  const notes = listRoutes(http)
  closeAfterLastReply(http)
  correlateRequests(http, systemClock, Math.random)
  http.setErrorHandler((error, request, reply) => refuse(error, { request, reply, log }))
  http.setNotFoundHandler((request, reply) => {
    const error = notFound(request, notes)
    return refuse(error, { request, reply, log })
  })
  await http.register(helmet, {
    // TLS ends before us, if anywhere; on plain localhost both would send browsers astray.
    strictTransportSecurity: false,
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
  })
  await http.register(rateLimit, {
    max: requestsPerMinuteMax,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { max, after }) => tooMany(max, after),
  })
  routes?.(http)
  serveHealth(http, running)
  serveFrontPage(http, name, notes)
  return listen(http, running)
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly log: Log
}

/** Our own faults are told without their words, which may hold what is not for the client. */
function refuse(error: unknown, { request, reply, log }: Exchange): FastifyReply {
  const correlationId = correlationIdOf(request)
  const known = problemOf(error)
  const { method, routeOptions } = request
  const fields = { err: error, correlationId, method, url: routeOptions.url }
  if (known === null) log.error(fields, 'a request failed')
  else if (known.status >= 500) log.warn(fields, 'a request was turned away for now')
  const problem = known ?? fault(correlationId)
  return reply
    .code(problem.status)
    .headers(problem.headers)
    .type('application/problem+json')
    .send(problem.details)
}

function fault(correlationId: string | undefined): Problem {
  return new Problem({
    status: 500,
    type: 'fault',
    detail: 'something went wrong on our side; the log tells it under the correlationId',
    members: { correlationId },
  })
}

function notFound({ method, url }: FastifyRequest, notes: readonly RouteNote[]): Problem {
  const path = url.split('?')[0] ?? url
  const methods = methodsOf(notes, path)
  if (methods.length === 0) {
    const detail = `there is nothing at ${path}; GET / lists what there is`
    return new Problem({ status: 404, type: 'unknown-path', detail })
  }
  return new Problem({
    status: 405,
    type: 'method-not-allowed',
    detail: `${path} does not answer to ${method}; it does to ${methods.join(', ')}`,
    headers: { allow: methods.join(', ') },
  })
}

function tooMany(max: number, after: string): Problem {
  return new Problem({
    status: 429,
    type: 'too-many-requests',
    detail: `more than ${max} requests a minute; try again in ${after}`,
  })
}
