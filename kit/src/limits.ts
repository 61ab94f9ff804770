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

/** A longer statement is a list of a length that hardly comes again: not worth a name. */
export const statementParametersMax = 40

/**
 * Connections of one service to PostgreSQL, which takes a hundred in all unless it is told
 * otherwise: handlers that share transactions (one works while the other commits), transactions
 * of requests and of handlers that are alone, and reads.
 */
export const sharedConnectionsMax = 2
export const transactionConnectionsMax = 4
export const readConnectionsMax = 2

/** Handlers in one shared transaction: beyond 50 the gain is small, and a failure undoes more. */
export const sharedScopesMax = 50

/** How long one that shares a transaction may keep the others waiting. */
export const sharedHeldMsMax = 50

/** Such times that one query may last: longer, and it waits for a lock, or reads a whole table. */
export const sharedAskingLooksMax = 4

/** One that was slow is alone for so long: a slow dependency lasts seconds. */
export const sharedSlowMs = 10_000

/** One that could have seen another's work by half: it is in its code, so it will again. */
export const sharedInterferedMs = 10 * 60 * 1000

/** Above three failures in a hundred, being alone costs less than undoing the neighbours. */
export const sharedFailuresMax = 0.03

/** How many runs the part of failures is an average of. */
export const sharedMemory = 200

/** Kinds that are remembered: a service has dozens of subscriptions. */
export const sharedKindsMax = 1_000

/** Opening a connection, or waiting for one that others use. */
export const postgresConnectMsMax = 5_000

/** An unused connection costs the server some megabytes; opening one costs some milliseconds. */
export const postgresIdleMsMax = 30_000

/** One statement on PostgreSQL: as long as the transaction around it may take. */
export const statementMsMax = 5_000

/** A read holds up nobody: long enough for a report. */
export const readMsMax = 60_000

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

/** A rebalance is noticed by a heartbeat, so this is how long one takes to begin. */
export const heartbeatMs = 1_000

/** The slowest member of a rebalance; below `kafkaRequestTimeoutMs`, or JoinGroup would fail. */
export const rebalanceTimeoutMs = 20_000

/**
 * Draining what moves at a rebalance: as long as at a stop. Heartbeats go on meanwhile, and other
 * members wait, so below `rebalanceTimeoutMs`.
 */
export const revokeMsMax = 10_000

/** Looking for a group's coordinator: again after `clusterReadyDelayMs`, half a second in all. */
export const coordinatorAttemptsMax = 5

/** A coordinator that is away is asked again after this, until the session is over. */
export const coordinatorRetryMs = 500

/** A damaged batch is asked for again after this: the damage may have been on the way. */
export const damagedRetryMs = 5_000

/** How often topics are looked at: for partitions that were added, and for what was refused. */
export const topicsWatchMs = 10_000

/** Coming back to a Kafka that was away. */
export const reconnectDelayMsMin = 100
export const reconnectDelayMsMax = 5_000

/** Kafka's default for `offset.metadata.max.bytes`, of which it refuses a longer commit. */
export const commitMetadataBytesMax = 4_096

/** Kafka's own default for `max.message.bytes`, less what a batch adds; for the cluster in memory. */
export const messageBytesMax = 1024 * 1024

/** Records that the cluster in memory hands over at once: about one fetch of 1 KiB records. */
export const memoryRecordsMax = 1_000

/** Rows of one send: the client's batching gains little beyond (figures: 100 → 500, +30 %). */
export const relayBatchRowsMax = 500

/** Bytes of one send, below Kafka's default for a batch; a single larger event goes alone. */
export const relayBatchBytesMax = 900_000

/** The net under the nudge at commit: what nobody told the relay about waits no longer. */
export const relaySweepMs = 2_000

/** Sends to a partition in trouble: soon at first, then patient. */
export const relayRetryMsMin = 100
export const relayRetryMsMax = 5_000

/** A refused row is tried again, because a topic's limits and permissions can be mended. */
export const holdRetryMsMin = 5_000
export const holdRetryMsMax = 5 * 60 * 1000

/**
 * How long the cluster's id counts as known. A broker cannot lose its data and be back in less,
 * so that no new event reaches a wiped cluster before the older ones are sent to it again.
 */
export const clusterIdFreshMs = 100

/** A Kafka that does not answer is asked again after this, at the earliest. */
export const clusterAwayMs = 1_000

/** How long the partition counts of topics count as known. */
export const topicsFreshMs = 60_000

/** Records of others that the relay reads over in search of its own, after an interruption. */
export const tailRecordsMax = 100_000

/** What a stopping relay waits for its last sends. The next start sends the rest. */
export const relayDrainMsMax = 5_000

/**
 * When the relay looks for what was published into a transaction that was opened without the kit:
 * after the usual commit, after a slow one, and else with its sweep.
 */
export const looksMs: readonly number[] = [5, 50]

/** How often rows that nobody needs any more are deleted. */
export const pruneEveryMs = 60_000

/** A handler without a limit of its own: longer than any HTTP call should take. */
export const handlerTimeoutMsDefault = 30_000

/** Handlers at work at the same time, each on another key. */
export const handlersRunningMax = 100

/** Events of one partition in memory: enough that a hot key does not idle the others. */
export const partitionEventsMax = 5_000
export const partitionBytesMax = 16 * 1024 * 1024

/** An inbox row outlives Kafka's own default for a record, `log.retention.hours` 168. */
export const inboxKeptMsMin = 7 * 24 * 60 * 60 * 1000

/** Rows of a topic that is gone: nobody brings its records back after a month. */
export const inboxForeignMsMax = 30 * 24 * 60 * 60 * 1000

/** Rows forgotten in one transaction, so that pruning never holds the writer for long. */
export const pruneRowsMax = 500

/** How often old inbox rows are looked for. */
export const inboxPruneEveryMs = 10 * 60 * 1000

/** Held keys that health lists; more would not be read. */
export const heldKeysListedMax = 20

/** A request's body: commands are small, and a JSON body is read as a whole. */
export const httpBodyBytesMax = 1024 * 1024

/** From the first byte of a request to its last: slower is broken, or hostile. */
export const httpRequestTimeoutMs = 30_000

/** What a stopping server waits for requests that run. */
export const httpDrainMsMax = 5_000

/** Requests a minute from one address, unless the service says otherwise: a hundred a second. */
export const httpRequestsPerMinuteMax = 6_000

/** Letters of one subscription on their way back at once: enough to keep its handlers busy. */
export const dueLettersMax = 100

/** A net under the timer of the next due letter. */
export const dueSweepMs = 60_000

/** Dead letters of one list: more than anybody reads. */
export const listedLettersMax = 10_000

/** Records read at once: one inbox look-up for all of them, and no long turn of the event loop. */
export const intakeChunkMax = 200

/** Between attempts to read or write a store that is in trouble. */
export const storeRetryDelayMs = 1_000

/** Records of a control topic read at once. */
export const controlReadMax = 500

/** How often a command's answer is looked for. */
export const answerPollMs = 100

/** What a crash may hear again without these; the inbox makes it harmless, so seldom is enough. */
export const commitEveryMs = 200

/** What runs when a service stops may finish: longer than most handlers take. */
export const drainMsMax = 10_000

/** Records behind from which health says so: some seconds of work. */
export const lagToldMin = 10_000

/** Events put aside: beyond it a service waits, because nobody looks after them any more. */
export const deadLettersMax = 100_000

/** The name of an aggregate or a process: it stands in each of its rows. */
export const aggregateNameLengthMax = 100

/** Longer ids are a document in the wrong place; they stand in an index. */
export const scheduleIdLengthMax = 250

/** Ten years: what is farther away was meant in other units. */
export const scheduleAheadMsMax = 10 * 365 * 24 * 60 * 60 * 1000

/** Events that wait for their time, in one service: about a gigabyte of small ones. */
export const scheduledMax = 1_000_000

/** Events that enter the outbox in one transaction: it holds the writer some milliseconds. */
export const scheduleFireRowsMax = 100

/** The net under the timer of the next: what another process scheduled is no later than this. */
export const scheduleSweepMs = 2_000

/** How long `cancel` can tell "fired" from "unknown". */
export const scheduleFiredKeptMs = 24 * 60 * 60 * 1000

/** Shares in the work that one instance does for all: enough to be even among a few. */
export const slotCount = 16

/** A state or an event as JSON: Kafka takes no larger event, and no state should outgrow one. */
export const stateBytesMax = 1_000_000

/** Events of a stream that are read at once. */
export const streamReadMax = 1_000

/** Events that are read for one command: some 50 ms. Beyond it an aggregate needs snapshots. */
export const aggregateEventsLoadedMax = 10_000

/** Events of one decision; more are several commands. */
export const aggregateEventsDecidedMax = 1_000

/** Each conflict means that somebody else got on, so only a very busy aggregate comes so far. */
export const decisionAttemptsMax = 10

/** The id of an aggregate or a process; it stands in an index. */
export const aggregateIdLengthMax = 250

/** What one decision of a process may say, set or record: more is a batch job. */
export const decisionItemsMax = 1_000

/** A process that ended is remembered, so that a late event finds it: as long as an inbox row. */
export const processEndedKeptMs = 7 * 24 * 60 * 60 * 1000

/**
 * Keys that one transaction locks one by one to say something of them; one with more locks the
 * outbox as a whole, because the server has room for some thousands of locks in all.
 */
export const keyLocksMax = 200

/** How often an instance looks who else is there: so late are the slots of a dead one taken. */
export const slotLookMs = 1_000

/** An answer of the database that takes longer is none: the connection is given up. */
export const slotAnswerMsMax = 3_000

/** Slots count as held for so long after the last look began that was answered. */
export const slotLeaseMs = 5_000

/**
 * After which the server ends the session of an instance that it hears nothing of. Twice the
 * lease: whoever it takes slots from has stopped using them long before.
 */
export const slotSessionIdleMs = 10_000

/** Opening the connection that holds the slots again, after it was lost. */
export const slotReconnectMs = 500

/** Between two calls to the other instances: each takes a lock of the whole database. */
export const callEveryMs = 5

/** The places that one call names: beyond it, looking at all of them costs no more. */
export const callPlacesMax = 50

/** What PostgreSQL takes in one NOTIFY: less than 8,000 bytes. */
export const callBytesMax = 7_999

/** Records of a replay that are handled together: how far it is, is kept after each chunk. */
export const replayChunkMax = 200

/** Records of one partition that a replay reads at once. */
export const replayReadMax = 500

/** How long an interrupted replay can go on. */
export const replaysKeptMs = 30 * 24 * 60 * 60 * 1000

/** What a slot's letters that are on their way are waited for when another is to have it. */
export const letterLeaveMsMax = 10_000

/** Records of a partition that a projection applies in one transaction. */
export const projectionBatchMax = 500

/** How often a projection that is up to date looks for more. */
export const projectionPollMs = 250

/** A projection that waits at an event, or for Kafka, tries again after this. */
export const projectionTroubleMs = 5_000

/** Letters that one transaction of a redrive or discard takes: some tens of milliseconds. */
export const lettersChunkMax = 250

/** Letters that a dry run gives to their handlers: enough to know, and minutes at most. */
export const lettersTriedMax = 10_000

/** A letter that was redriven so often, and failed alike each time, needs a person. */
export const alikeRedrivesMax = 3

/** How often a job tells how far it is. */
export const jobToldEveryMs = 500

/** A job that goes on slowly says at this beat that it goes on. */
export const jobBeatMs = 5_000

/** A net under the calls between instances: jobs that were begun, pauses that were asked for. */
export const ordersSweepMs = 5_000

/** How long a job that has ended can be looked up. */
export const jobsKeptMs = 7 * 24 * 60 * 60 * 1000

/** A payload that somebody edits by hand, and that travels in a command. */
export const editedBytesMax = 256 * 1024

/** A job of which nothing was heard for so long goes on elsewhere, or later: see `jobBeatMs`. */
export const jobSilentMs = 30_000
