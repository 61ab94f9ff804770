/** Longer ids are no ids: a UUID has 36 characters, and the id is a key of several tables. */
export const eventIdLengthMax = 256

/**
 * A transaction holds the only writer of its store. Five seconds are far more than any honest
 * one needs, and less than a caller's own time limit.
 */
export const transactionHeldMsMax = 5_000

/** A migration may rewrite a large table while nothing else runs yet. */
export const migrationHeldMsMax = 600_000

/** Transactions that wait for the writer: past it, waiting would only add to the trouble. */
export const writerQueueMax = 10_000

/**
 * Transactions that share one COMMIT, and so one fsync. At 50 the fsync is a small part of the
 * whole; more would only make the first of them wait longer.
 */
export const commitGroupMax = 50

/** Prepared statements kept per connection; a service has dozens of different ones. */
export const statementsMax = 500

/** Unsent events that the outbox keeps while Kafka is away: days of work of a small service. */
export const outboxUnsentMax = 1_000_000

/** With KAFKA_ENABLED=false nothing will ever empty the outbox, so the limit is nearer. */
export const outboxUnsentMaxDisabled = 100_000

/** Sent rows stay for a while, so that a broker whose data was wiped can be told again. */
export const sentRetentionMs = 60 * 60 * 1000

/** … and at most this many, so that a busy service's outbox stays small. */
export const sentRowsMax = 10_000

/** Kafka takes 1,048,588 bytes a batch (`max.message.bytes`) unless it is told otherwise. */
export const eventBytesMax = 1_000_000

/** Opening a connection: longer, and the broker is as good as gone. */
export const kafkaConnectTimeoutMs = 5_000

/** One request: above the longest that Kafka itself parks one, a rebalance. */
export const kafkaRequestTimeoutMs = 30_000

/** Asking an address whether it is a Kafka at all, for an error message. */
export const kafkaProbeTimeoutMs = 3_000

/**
 * One fetch response. The client's default, 50 MiB, is decoded in one go and blocks the event
 * loop for half a second; at 1 MiB it is 11 ms, and five times as fast.
 */
export const fetchBytesMax = 1024 * 1024

/** How long a fetch waits for records: also how long a resumed partition may wait its turn. */
export const fetchWaitMsMax = 500

/** Repeats of one batch under one sequence number, before its fate counts as unknown. */
export const produceRetriesMax = 3
export const produceRetryDelayMs = 200

/** A new topic is known to every broker within a second or so, and so is a coordinator. */
export const clusterReadyAttemptsMax = 20
export const clusterReadyDelayMs = 100

/**
 * A restart within the session takes its partitions back without a rebalance (KIP-345), and
 * after `kill -9` with another instance id the group waits no longer. Kafka's minimum is 6 s.
 */
export const sessionTimeoutMs = 10_000

/** Three to a session, so that two may be lost. */
export const heartbeatMs = 3_000

/** The slowest member of a rebalance; below `kafkaRequestTimeoutMs`, or JoinGroup would fail. */
export const rebalanceTimeoutMs = 20_000

/** Draining at a rebalance: no heartbeat is sent meanwhile, so well below the session. */
export const revokeMsMax = 5_000

/** Coming back to a Kafka that was away. */
export const reconnectDelayMsMin = 100
export const reconnectDelayMsMax = 5_000

/** Kafka's own default for `max.message.bytes`, less what a batch adds; for the cluster in memory. */
export const messageBytesMax = 1024 * 1024

/** Records that the cluster in memory hands over at once: about one fetch of 1 KiB records. */
export const memoryRecordsMax = 1_000
