import { readFileSync } from 'node:fs'
import { kafkaBackend } from './kafka-backend.ts'
import { saslUsers, serverVariable } from './servers/servers.ts'
import type { TransportConformanceOptions } from './transport-conformance.ts'

const skip = { outage: 'the server is shared by all suites, so it is neither stopped nor wiped' }

/** Each Kafka that `npm run test:all` starts, for a suite that is to pass on all of them. */
export const kafkaClusters: readonly TransportConformanceOptions[] = [
  {
    name: 'Apache Kafka 4.3',
    open: async () => kafkaBackend(serverVariable('MILLRACE_KAFKA_4')),
    skip,
  },
  {
    name: 'Apache Kafka 3.5',
    open: async () => kafkaBackend(serverVariable('MILLRACE_KAFKA_3')),
    skip,
  },
  {
    name: 'Apache Kafka 4.3 by SCRAM over TLS',
    open: async () =>
      kafkaBackend(serverVariable('MILLRACE_KAFKA_4'), {
        brokers: [serverVariable('MILLRACE_KAFKA_4_TLS')],
        tls: true,
        ca: readFileSync(serverVariable('MILLRACE_KAFKA_4_CA'), 'utf8'),
        sasl: { mechanism: 'scram-sha-512', ...saslUsers.scram },
      }),
    skip,
  },
]
