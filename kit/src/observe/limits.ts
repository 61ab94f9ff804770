// The limits of what is seen from outside, each with its reason.

/** How long steps can be traced: whoever asks what happened to an event asks soon. */
export const tracesKeptMs = 6 * 60 * 60 * 1000

/** … and how many bytes of them: a reader looks through all of them, within seconds. */
export const tracesKeptBytes = 256 * 1024 * 1024
export const tracesSegmentBytes = 32 * 1024 * 1024

/** Asking Kafka for the lag: health is asked for by monitors, which wait two or three seconds. */
export const lagQueryMsMax = 2_000

/** How long whoever asks for the health waits for the database, for the same reason. */
export const storeAskedMsMax = 2_000

/** A lag grows where it does so for this long; looked at this often. */
export const lagTrendMs = 30_000
export const lagTrendReadingsMax = 30

/** … and by so many records: less is the coming and going of any day. */
export const lagGrowthToldMin = 1_000

/** How often a service looks at itself: whoever watches it sees a change after this. */
export const serviceLookMs = 5_000

/** … and tells at this beat even if nothing has changed; silent for three, it is gone. */
export const serviceBeatMs = 30_000

/** Who has been silent for so long is not missed any more: its record may go. */
export const serviceForgottenMs = 24 * 60 * 60 * 1000

/** Steps that a service tells a second: enough for each event of a small service, never a load. */
export const traceStepsPerSecondMax = 1_000

/** Steps that wait for Kafka in memory; about 2 MiB. */
export const traceBufferStepsMax = 5_000

/** One record of steps: its bytes stay far below what Kafka takes. */
export const traceBatchStepsMax = 500

/** Whoever looks at a chain that runs sees it after this. */
export const traceBatchAgeMsMax = 500

/** What a stopping service waits for its last steps. */
export const traceFlushMsMax = 1_000

/** Links of one span: SDKs keep no more. */
export const spanLinksMax = 128

/** An error's first words say what it is. */
export const traceReasonLengthMax = 300
