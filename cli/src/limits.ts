// Every limit of the command line and its host, with its reason.

/** Longer than an idle stop takes: past it one line says what the stop waits for. */
export const quietStopMs = 2_000

/** A service that has not drained by then holds the terminal for no good reason. */
export const stopMsMax = 30_000

/** A broker answers within a second; past this it has hung, and says so. */
export const brokerStartMsMax = 20_000

/** The first restart of a broker that died is at once: it was probably killed. */
export const brokerBackoffMsMin = 250

/** … and one that dies at every start is not started more often than this. */
export const brokerBackoffMsMax = 10_000

/** Whoever ran so long was well: the next restart is quick again. */
export const brokerWellAfterMs = 30_000

/** Two files of this size hold days of an ordinary log, and never fill a disk. */
export const logFileBytesMax = 8 * 1024 * 1024

/** The same warning again within this time is counted, not shown. */
export const warningRepeatMs = 30_000

/** Different warnings whose repetition is remembered. */
export const warningsRememberedMax = 200

/** A Kafka that does not answer in this time is said to be unreachable. */
export const kafkaCheckMs = 5_000

/** The last lines of a broker that ended: among them is why. */
export const brokerReasonLinesMax = 5

/** Whoever waits for less needs no spinner. */
export const spinnerAfterMs = 1_000

/** A service that runs answers a command within a second or two; its restart takes ten. */
export const answerMsMax = 15_000

/** Of each partition, where `trace` looks for the records of a chain whose steps are gone. */
export const headerRecordsMax = 20_000n

/** As many records as `tail` shows lines of a file. */
export const tailRecords = 10
