import { openKafka } from '@millrace/kit'
import { Admin } from '@platformatic/kafka'
import type { TransportBackend } from './transport-conformance.ts'

/** A running Kafka as the transport suite sees it; it is neither stopped nor emptied. */
export function kafkaBackend(bootstrapServers: string): TransportBackend {
  const brokers = bootstrapServers.split(',')
  return {
    connect: () => openKafka({ brokers, clientId: 'suite', tls: false, sasl: null }),
    async deleteTopic(topic) {
      const admin = new Admin({ clientId: 'suite', bootstrapBrokers: brokers })
      await admin.deleteTopics({ topics: [topic] })
      await admin.close()
    },
    async [Symbol.asyncDispose]() {},
  }
}
