import { deliveryConformance } from './delivery-conformance.ts'
import { kafkaBackend } from './kafka-backend.ts'
import { serverVariable } from './servers/servers.ts'

const shared = 'the server is shared by all suites, so it is neither stopped nor wiped'

for (const [name, variable] of [
  ['Apache Kafka 4.3', 'MILLRACE_KAFKA_4'],
  ['Apache Kafka 3.5', 'MILLRACE_KAFKA_3'],
] as const) {
  deliveryConformance({
    name,
    open: async () => kafkaBackend(serverVariable(variable)),
    skip: { outage: shared },
  })
}
