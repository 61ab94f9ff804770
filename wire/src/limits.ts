/** An unsigned 32-bit number takes at most five groups of seven bits. */
export const varintBytesMax = 5

/** A signed 64-bit number takes at most ten groups of seven bits. */
export const varlongBytesMax = 10

/** A new `Writer` holds this much: all but a handful of Kafka's small requests and replies. */
export const writerBytesInitial = 512

/**
 * From this size on, bytes are handed to the socket as a chunk of their own: one more entry of a
 * writev costs about as much as copying 4 KiB.
 */
export const referenceBytesMin = 4_096

/** A compressed batch may grow to this much: a hundred times Kafka's limit for one, 1 MiB. */
export const inflatedBytesMax = 100 * 1024 * 1024
