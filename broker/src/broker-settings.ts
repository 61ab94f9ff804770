import type { FlushPolicy } from './log/log-config.ts'

/** What a broker is told when it starts. Names follow Kafka's settings, in camel case. */
export interface BrokerSettings {
  /** `num.partitions`: of topics that do not say how many. */
  readonly numPartitions: number
  /** `auto.create.topics.enable`. */
  readonly autoCreateTopics: boolean
  /** When a produced batch is acknowledged: see `FlushPolicy`. */
  readonly flush: FlushPolicy
  /** `group.min.session.timeout.ms`. */
  readonly groupMinSessionTimeoutMs: number
  /** `group.max.session.timeout.ms`. */
  readonly groupMaxSessionTimeoutMs: number
  /** `group.max.size`. */
  readonly groupMaxSize: number
  /** `group.initial.rebalance.delay.ms`: how long a new group waits for more members. */
  readonly groupInitialRebalanceDelayMs: number
  /** `offsets.retention.minutes`, in milliseconds. */
  readonly offsetsRetentionMs: number
  /** Broker-wide values of topic configs, by the topic's name of them: `retention.ms`. */
  readonly topicDefaults: Readonly<Record<string, string>>
}

const dayMs = 86_400_000

/** Kafka's defaults, except that a new group is not kept waiting: a broker of one is for tests. */
export const brokerSettingsDefault: BrokerSettings = {
  numPartitions: 1,
  autoCreateTopics: true,
  flush: 'ack',
  groupMinSessionTimeoutMs: 6_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupMaxSize: 2_147_483_647,
  groupInitialRebalanceDelayMs: 0,
  offsetsRetentionMs: 7 * dayMs,
  topicDefaults: {},
}
