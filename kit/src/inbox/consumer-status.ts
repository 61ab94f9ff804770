import type { TopicPartition } from '../transport/transport.ts'

/** How a service's consumer stands, for its health. */
export interface ConsumerStatus {
  /** Partitions that are ours at the moment. */
  readonly partitions: readonly TopicPartition[]
  /** Events in memory. */
  readonly events: number
  /** Keys that an event which was put aside holds back. */
  readonly heldKeys: number
  /** Subscriptions that an outage has stopped, and why. */
  readonly outages: readonly SubscriptionOutage[]
  /** Why the group or Kafka cannot be reached; null while all is well. */
  readonly trouble: string | null
}

export interface SubscriptionOutage {
  readonly subscription: string
  readonly reason: string
  readonly sinceMs: number
}
