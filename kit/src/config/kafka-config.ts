import type { LogLevel } from '../log.ts'
import type { KafkaSettings } from '../transport/kafka-settings.ts'

/** What the `KAFKA_*` variables say. */
export interface KafkaConfig extends KafkaSettings {
  /** False: no connection at all. Subscriptions are off, and the outbox keeps what is said. */
  readonly enabled: boolean
  readonly logLevel: LogLevel
}
