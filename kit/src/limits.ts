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
