/** Events of one batch: beyond it one transaction would hold the writer for too long. */
export const batchEventsMax = 1_000

/** How long a batch may wait for its events: what waits holds back its partition. */
export const batchWaitMsMax = 60_000

/** Inbox rows of handlers that used no transaction, written in one: some milliseconds. */
export const handledRowsMax = 1_000

/** A handler whose shared transaction others undid so often has one of its own. */
export const undoneMax = 3

/** A handler that has not come back so long after its signal fired does not heed it. */
export const overdueToldMs = 10_000

/**
 * What runs of partitions that leave is waited for, then aborted: a moment less than
 * `revokeMsMax`, so that it is rolled back before they go.
 */
export const revokeDrainMsMax = 9_000
