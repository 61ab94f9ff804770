import type { Pause } from '../control/pauses.ts'
import type { TopicPartition, TopicTrouble } from '../transport/transport.ts'

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
  /** Handlers that do not come back, though their signal has fired. */
  readonly overdue: readonly OverdueHandler[]
  /** Subscriptions that somebody has paused. */
  readonly paused: readonly Pause[]
  /** Why the group or Kafka cannot be reached; null while all is well. */
  readonly trouble: string | null
  /** Topics that cannot be read as they should; all others are. */
  readonly topics: readonly TopicTrouble[]
}

export interface SubscriptionOutage {
  readonly subscription: string
  readonly reason: string
  readonly sinceMs: number
}

export interface OverdueHandler {
  readonly subscription: string
  /** When its signal fired. */
  readonly sinceMs: number
}
