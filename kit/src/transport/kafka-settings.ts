/** Where a Kafka is and how to enter it: what the `KAFKA_*` variables say. */
export interface KafkaSettings {
  /** Bootstrap servers as `host:port`; one that answers is enough. */
  readonly brokers: readonly string[]
  /** Kafka's logs name us by it. */
  readonly clientId: string
  /** Whether connections are encrypted (`KAFKA_SSL`). */
  readonly tls: boolean
  /** The authority that signed the brokers' certificates, as PEM (`KAFKA_SSL_CA` names its file). */
  readonly ca?: string
  readonly sasl: SaslSettings | null
  /** How long partitions that are added may go unnoticed. Default: one minute. */
  readonly metadataMaxAgeMs?: number
}

export interface SaslSettings {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}
