import type { FastifyInstance } from 'fastify'
import { kafkaReport } from '../health/kafka-report.ts'
import type { ServiceHealth } from '../health/service-health.ts'
import type { MetricsPage } from '../observe/service-metrics.ts'

/** What of a running service its health is read from. */
export interface HealthSource {
  readonly name: string
  readonly ready: boolean
  readonly health: () => Promise<ServiceHealth>
  /** Why the database does not answer; null where it does. Without it nobody asks. */
  readonly storeUnknown?: () => Promise<string | null>
  /** What `/metrics` answers; without it there is no such path. */
  readonly metricsPage?: () => Promise<MetricsPage>
}

/**
 * `/health` and `/health/live` answer while the process lives; `/ready` and `/health/ready` while
 * the service takes requests: as long as its database answers, whatever Kafka does, because the
 * outbox keeps what is said;
 * `/health/kafka` tells how it stands with Kafka, and is 503 when that is away; `/metrics` is for
 * Prometheus.
 */
export function serveHealth(http: FastifyInstance, running: HealthSource): void {
  for (const path of ['/health', '/health/live']) {
    http.get(path, { config: { about: 'The process lives' } }, async () => ({
      service: running.name,
      status: 'up',
    }))
  }

  for (const path of ['/ready', '/health/ready']) {
    http.get(path, { config: { about: 'It takes requests' } }, async (_request, reply) => {
      const { name: service, ready, storeUnknown } = running
      const unknown = ready ? ((await storeUnknown?.()) ?? null) : null
      if (ready && unknown === null) return reply.send({ service, status: 'ready' })
      const reason =
        unknown === null ? 'it starts or stops' : `the database does not answer: ${unknown}`
      return reply.code(503).send({ service, status: 'not ready', reason })
    })
  }

  http.get(
    '/health/kafka',
    { config: { about: 'How it stands with Kafka: cluster, groups, lag, outbox' } },
    async (_request, reply) => {
      const report = kafkaReport(await running.health())
      return reply.code(report.status === 'down' ? 503 : 200).send(report)
    },
  )

  const { metricsPage } = running
  if (metricsPage === undefined) return
  http.get('/metrics', { config: { about: 'Metrics for Prometheus' } }, async (_request, reply) => {
    const { contentType, text } = await metricsPage()
    return reply.type(contentType).send(text)
  })
}
