import { type KafkaSettings, openKafka } from '@millrace/kit'
import { Admin } from '@platformatic/kafka'
import type { TransportBackend } from './transport-conformance.ts'

/**
 * A running Kafka as the transport suite sees it; it is neither stopped nor emptied. `security`
 * says how the kit enters it, where that is not by the address at which topics are deleted.
 */
export function kafkaBackend(
  bootstrapServers: string,
  security: Partial<KafkaSettings> = {},
): TransportBackend {
  const brokers = bootstrapServers.split(',')
  return {
    connect: () => openKafka({ brokers, clientId: 'suite', tls: false, sasl: null, ...security }),
    async deleteTopic(topic) {
      const admin = new Admin({ clientId: 'suite', bootstrapBrokers: brokers })
      await admin.deleteTopics({ topics: [topic] })
      await admin.close()
    },
    async [Symbol.asyncDispose]() {},
  }
}
