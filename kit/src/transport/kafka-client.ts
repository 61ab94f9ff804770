import { isIP } from 'node:net'
import { type ConnectionOptions, SASLMechanisms } from '@platformatic/kafka'
import { kafkaConnectTimeoutMs, kafkaRequestTimeoutMs } from '../limits.ts'
import { addressOf } from './kafka-probe.ts'
import type { KafkaSettings } from './kafka-settings.ts'

const mechanisms = {
  plain: SASLMechanisms.PLAIN,
  'scram-sha-256': SASLMechanisms.SCRAM_SHA_256,
  'scram-sha-512': SASLMechanisms.SCRAM_SHA_512,
} as const

/** How to open a connection: for a client, and for a pool of our own. */
export function connectionOptions(settings: KafkaSettings): ConnectionOptions {
  const { sasl } = settings
  return {
    connectTimeout: kafkaConnectTimeoutMs,
    requestTimeout: kafkaRequestTimeoutMs,
    ...(settings.tls ? tlsOptions(settings) : {}),
    ...(sasl === null
      ? {}
      : {
          sasl: {
            mechanism: mechanisms[sasl.mechanism],
            username: sasl.username,
            password: sasl.password,
          },
        }),
  }
}

/** Brokers behind one address are told apart by the name that is asked for, which no IP may be. */
function tlsOptions({ brokers, ca }: KafkaSettings) {
  const areNamed = brokers.every((broker) => isIP(addressOf(broker).host) === 0)
  return { tls: ca === undefined ? {} : { ca }, tlsServerName: areNamed }
}

/**
 * Options of one client, made anew for each: clients write defaults into the object they get.
 * A client does not try again by itself, so that there is one place which does and backs off
 * (the producer is the exception: only the client can repeat a batch under its own sequence).
 */
export function clientOptions(settings: KafkaSettings) {
  return {
    ...connectionOptions(settings),
    clientId: settings.clientId,
    bootstrapBrokers: [...settings.brokers],
    retries: 0,
    autocreateTopics: false,
  }
}
