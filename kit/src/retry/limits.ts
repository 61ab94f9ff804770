/** Five runs at half a second and more: what passes by itself has passed by then. */
export const retryAttemptsDefault = 5
export const retryDelayMsMinDefault = 500
export const retryDelayMsMaxDefault = 5 * 60 * 1000

/** A longer wait is a row in the store: it must hold back neither the watermark nor memory. */
export const retryInMemoryMsMax = 5_000

/** So many distinct keys that fail alike are no coincidence but an outage (P7). */
export const breakerKeysMin = 5

/** How often one event may be excused by an outage that other events disprove. */
export const excusesMax = 10

/** Kinds of failure that are told apart at once; an outage has a few of them. */
export const breakerEvidenceMax = 50

/** After an outage: when so many events at once are answered, all may run again. */
export const rampRunsMax = 16

/**
 * Probing an outage: seldom enough not to add to it, and soon enough that all goes on within
 * seconds when it is over. One event every few seconds is no load on anything.
 */
export const probeDelayMsMin = 1_000
export const probeDelayMsMax = 5_000
