// Every limit of the broker, with its reason.

/** A journal is rewritten past this: small enough to replay in well under 100 ms. */
export const journalBytesMax = 16 * 1024 * 1024
