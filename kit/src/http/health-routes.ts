import type { FastifyInstance } from 'fastify'
import { kafkaReport } from '../health/kafka-report.ts'
import type { ServiceHealth } from '../server.ts'

/** What of a running service its health is read from. */
export interface HealthSource {
  readonly name: string
  readonly ready: boolean
  readonly health: () => Promise<ServiceHealth>
}

/**
 * `/health` answers while the process lives; `/ready` while the service takes requests, whatever
 * Kafka does, because the outbox keeps what is said; `/health/kafka` tells how it stands with
 * Kafka, and is 503 when that is away.
 */
export function serveHealth(http: FastifyInstance, running: HealthSource): void {
  http.get('/health', { config: { about: 'The process lives' } }, async () => ({
    service: running.name,
    status: 'up',
  }))

  http.get('/ready', { config: { about: 'It takes requests' } }, async (_request, reply) => {
    const { ready } = running
    return reply
      .code(ready ? 200 : 503)
      .send({ service: running.name, status: ready ? 'ready' : 'not ready' })
  })

  http.get(
    '/health/kafka',
    { config: { about: 'How it stands with Kafka: cluster, groups, lag, outbox' } },
    async (_request, reply) => {
      const report = kafkaReport(await running.health())
      return reply.code(report.status === 'down' ? 503 : 200).send(report)
    },
  )
}
