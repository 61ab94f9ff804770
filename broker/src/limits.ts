// Every limit of the broker, with its reason.

/** A journal is rewritten past this: small enough to replay in well under 100 ms. */
export const journalBytesMax = 16 * 1024 * 1024

/** One frame of a journal's snapshot: one write of a size that does not stall the loop. */
export const journalFrameBytesMax = 1024 * 1024

/** Kafka keeps as many batches of a producer: clients have at most five in flight. */
export const producerBatchesMax = 5

/** Kafka's `producer.id.expiration.ms`: a day without a batch. */
export const producerExpiryMs = 86_400_000

/** Kafka's `socket.request.max.bytes`. A client that wants more in one request is broken. */
export const frameBytesMax = 100 * 1024 * 1024

/** No request is shorter: key, version and correlation id. */
export const frameBytesMin = 8

/** What one connection reads into: large enough for many batches a read, small in a crowd. */
export const arenaBytes = 256 * 1024

/** Unhandled bytes of a connection that waits for a reply; past them its socket is not read. */
export const readAheadBytesMax = 64 * 1024

/** Requests of one connection that wait for their replies: clients pipeline five to a hundred. */
export const requestsInFlightMax = 256

/** Reply bytes that a slow reader may leave unread before its next request is looked at. */
export const repliesUnsentBytesMax = 4 * 1024 * 1024

/** Kafka's `connections.max.idle.ms`. */
export const connectionIdleMs = 600_000

/** Sockets of one listener; each may hold an arena. */
export const connectionsMax = 4096

/** Read at a time while looking for a batch: about the distance between two index entries. */
export const headerScanBytes = 8192

/** Read at a time in recovery: large enough that the calls cost nothing beside the checksums. */
export const recoveryReadBytes = 1024 * 1024

/** The smallest read buffer: most fetches that find something find little. */
export const readBufferBytesMin = 4096

/** The largest read buffer that is kept: Kafka's default for one partition is 1 MiB. */
export const readBufferBytesPooled = 4 * 1024 * 1024

/** Free read buffers that are kept, in all: a dozen consumers at full speed. */
export const readBuffersBytesMax = 16 * 1024 * 1024

/** With flush policy `os` a log is synced behind the writer so often, to bound write-back stalls. */
export const unsyncedBytesMax = 16 * 1024 * 1024

/** One partition's share of a fetch reply: one read that does not stall the loop. */
export const fetchPartitionBytesMax = 1024 * 1024

/** One fetch reply. Kafka's is 55 MiB, which stalls a client written in JavaScript for long. */
export const fetchBytesMax = 8 * 1024 * 1024

/** Producer ids are made durable so many at a time; what a crash leaves of a block is not used. */
export const producerIdBlock = 1000

/** Partitions of one topic. Each holds files open. */
export const partitionsPerTopicMax = 1000

/** Topics that one request may make or that may be asked for: more is a mistake. */
export const topicsMax = 10_000

/** How much is read again after a crash, and how long damage can pass for a torn tail. */
export const checkpointIntervalMs = 5_000

/** Kafka's `log.retention.check.interval.ms`. */
export const retentionCheckIntervalMs = 300_000

/** Kafka's `log.cleaner.backoff.ms`. */
export const compactionCheckIntervalMs = 15_000

/** Read by the compactor before the clients have their turn: a few milliseconds of work. */
export const compactionTurnBytes = 1024 * 1024

/** Keys of one compaction, about 100 bytes of memory each; what is beyond waits for the next. */
export const compactionKeysMax = 1_000_000

/** Kafka's `offsets.retention.check.interval.ms`. */
export const offsetsRetentionCheckMs = 600_000

/** Kafka's `offset.metadata.max.bytes`. */
export const offsetMetadataBytesMax = 4096
