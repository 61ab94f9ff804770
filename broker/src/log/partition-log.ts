// The records of one partition, in the order of their offsets.
//
// The life of a batch: `append` validates it, gives it its offsets in place and remembers its
// bytes; `Flusher.commitTurn` writes what every log remembered with one call per log; a sync, shared
// by all batches that arrived while the one before it ran, makes it durable; then the high watermark
// moves, and consumers see it.

import type { LogConfig } from './log-config.ts'

/** What became of one produced batch. `errorCode` is Kafka's, with a message for the client. */
export type AppendOutcome =
  | { readonly kind: 'appended'; readonly placed: Placement }
  | { readonly kind: 'duplicate'; readonly placed: Placement }
  | { readonly kind: 'rejected'; readonly errorCode: number; readonly message: string }

/** Where a batch lies. Of a duplicate: where the original lies. */
export interface Placement {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  /** -1 unless the topic stamps records with the time of their appending. */
  readonly logAppendTimeMs: bigint
}

export interface AppendOptions {
  /** Produce before version 7 must not carry zstd. */
  readonly zstdAllowed: boolean
}

/** `written`: in the file, for acks=1. `durable`: on the device, for acks=all. */
export type StorageLevel = 'written' | 'durable'

export type StorageOutcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'failed'; readonly errorCode: number; readonly message: string }

export type ReadOutcome =
  | { readonly kind: 'read'; readonly batches: BatchBytes }
  | { readonly kind: 'outOfRange' }
  | { readonly kind: 'failed'; readonly errorCode: number; readonly message: string }

/** Whole batches, as stored, in a pooled buffer that is to be given back. */
export interface BatchBytes {
  readonly bytes: Uint8Array
  /** Gives the buffer back, once the socket is done with it. Calling it again does nothing. */
  release(): void
}

export interface TimestampedOffset {
  readonly offset: bigint
  readonly timestampMs: bigint
  readonly leaderEpoch: number
}

/** `failed` logs refuse appends until the broker is started again; what is durable stays readable. */
export type LogStatus =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly message: string }

export interface PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly status: LogStatus
  readonly config: LogConfig
  /** Bytes of all segments. */
  readonly sizeBytes: number
  /** The earliest offset that can be read. */
  readonly logStartOffset: bigint
  /** The offset that the next record gets. */
  readonly logEndOffset: bigint
  /** Consumers read below this. With flush policy `ack` everything below it is on the device. */
  readonly highWatermark: bigint

  /** Puts a changed topic configuration into force, from the next append on. */
  configure(config: LogConfig): void

  /**
   * Takes one batch. Its base offset and leader epoch are written into `batch` itself, and the
   * bytes are not copied: they must stay as they are until the turn is committed. `appended` means
   * that the offsets are given, not that anything is stored: ask `onStored`, for duplicates too.
   */
  append(batch: Uint8Array, options: AppendOptions): AppendOutcome

  /**
   * Calls back once: when the record at `offset` is stored at that level (at once, if it is
   * already), or when it is known that this will not happen. Callbacks run inside `commitTurn` or
   * after a sync, in the order of offsets; they must not throw.
   */
  onStored(offset: bigint, level: StorageLevel, callback: (outcome: StorageOutcome) => void): void

  /** Calls back whenever the high watermark has moved; returns the way to stop that. */
  onHighWatermark(listener: (highWatermark: bigint) => void): () => void

  /**
   * Reads whole batches from the one that holds `offset` (it may begin below it) up to the high
   * watermark. No more than `bytesMax` bytes, except that a first batch is never held back
   * for its size. At or above the high watermark, but inside the log, it reads nothing.
   */
  read(offset: bigint, bytesMax: number): ReadOutcome

  /** How many bytes `read` could give from this offset on, counted no further than `bytesMax`. */
  bytesReadable(offset: bigint, bytesMax: number): number

  /** The first record whose timestamp is at or after the given one, below the high watermark. */
  offsetForTimestamp(timestampMs: bigint): TimestampedOffset | undefined

  /** The record with the greatest timestamp below the high watermark, the earliest of equals. */
  offsetOfMaxTimestamp(): TimestampedOffset | undefined
}
