// Every limit of the broker, with its reason.

/** A journal is rewritten past this: small enough to replay in well under 100 ms. */
export const journalBytesMax = 16 * 1024 * 1024

/** One frame of a journal's snapshot: one write of a size that does not stall the loop. */
export const journalFrameBytesMax = 1024 * 1024
