// The records of one partition, in the order of their offsets.
//
// The life of a batch: `append` validates it, gives it its offsets in place and remembers its
// bytes; `Flusher.commitTurn` writes what the turn brought with one call a log; a sync, shared by
// everything that was written while the one before it ran, makes it durable; then the high
// watermark moves, and consumers see it. The invariants L1–L4 are in log-writer.ts.

import { stampLogAppendTime } from '@millrace/wire'
import { Cleaning, type Rest } from './cleaning.ts'
import type { LogConfig } from './log-config.ts'
import {
  type BatchBytes,
  bytesFrom,
  findBatch,
  type LogView,
  NO_BATCHES,
  readBatches,
} from './log-read.ts'
import { type LogStatus, LogWriter, type LogWriterOptions } from './log-writer.ts'
import type { ReadBuffers } from './read-buffers.ts'
import type { RecoveredLog } from './recovery.ts'
import { decideRetention } from './retention.ts'
import type { Segment } from './segment.ts'
import {
  type StorageCallback,
  type StorageFailure,
  type StorageLevel,
  storageFailure,
} from './storage-waiters.ts'
import { findByTimestamp, findMaxTimestamp, type TimestampedOffset } from './timestamp-lookup.ts'
import { type Rejected, validateBatch } from './validation.ts'

export type { BatchBytes } from './log-read.ts'
export type { LogStatus } from './log-writer.ts'
export type { StorageCallback, StorageLevel, StorageOutcome } from './storage-waiters.ts'
export type { TimestampedOffset } from './timestamp-lookup.ts'

/** What became of one produced batch. A rejection has Kafka's code and a message for the client. */
export type AppendOutcome =
  | { readonly kind: 'appended'; readonly placed: Placement }
  | { readonly kind: 'duplicate'; readonly placed: Placement }
  | Rejected

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

export interface ReadOptions {
  /** Whether a first batch that is larger than the limit is given all the same: true if unsaid. */
  readonly firstBatchWhole?: boolean
}

export type ReadOutcome =
  | { readonly kind: 'read'; readonly batches: BatchBytes }
  | { readonly kind: 'outOfRange' }
  | StorageFailure

export interface PartitionLogOptions extends Omit<LogWriterOptions, 'name'> {
  readonly topic: string
  readonly partition: number
  readonly config: LogConfig
  readonly buffers: ReadBuffers
}

export class PartitionLog {
  readonly topic: string
  readonly partition: number
  readonly #options: PartitionLogOptions
  readonly #writer: LogWriter
  #config: LogConfig
  #logStartOffset: bigint
  readonly #cleaning: Cleaning
  #maintenance: Promise<void> = Promise.resolve()
  /** The closed segment that was read last; its indexes are kept in memory, no other's. */
  #warm: Segment | undefined

  constructor(options: PartitionLogOptions, recovered: RecoveredLog) {
    this.topic = options.topic
    this.partition = options.partition
    this.#options = options
    this.#config = options.config
    this.#logStartOffset = recovered.logStartOffset
    const name = `${options.topic}-${options.partition}`
    this.#writer = new LogWriter({ ...options, name }, recovered)
    this.#cleaning = new Cleaning({ ...options, writer: this.#writer, config: () => this.#config })
  }

  get status(): LogStatus {
    return this.#writer.status
  }

  get config(): LogConfig {
    return this.#config
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.#writer.segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  /** The earliest offset that can be read. */
  get logStartOffset(): bigint {
    return this.#logStartOffset
  }

  /** The offset that the next record gets. */
  get logEndOffset(): bigint {
    return this.#writer.logEndOffset
  }

  /** Consumers read below this. With flush policy `ack` everything below it is on the device. */
  get highWatermark(): bigint {
    return this.#writer.readableEnd.offset
  }

  /** Everything below it is on the device, whatever the flush policy. */
  get recoveryPoint(): bigint {
    return this.#writer.syncedEnd
  }

  /** Puts a changed topic configuration into force, from the next append on. */
  configure(config: LogConfig): void {
    this.#config = config
  }

  /**
   * Takes one batch. Its base offset and leader epoch are written into `bytes` itself, and the
   * bytes are not copied: they must stay as they are until the turn is committed. `appended` means
   * that the offsets are given, not that anything is stored: ask `onStored` at once, before the
   * next append, and for duplicates too, whose original may still be on its way to the disk.
   */
  append(bytes: Uint8Array, options: AppendOptions): AppendOutcome {
    const config = this.#config
    const stampsTime = config.messageTimestampType === 'LogAppendTime'
    const latestTimestampMs = this.#options.now() + config.timestampAfterMaxMs
    const checked = validateBatch(bytes, {
      maxMessageBytes: config.maxMessageBytes,
      segmentBytes: config.segmentBytes,
      zstdAllowed: options.zstdAllowed,
      latestTimestampMs: stampsTime ? Number.POSITIVE_INFINITY : latestTimestampMs,
      keysRequired: config.compaction !== null,
    })
    if (checked.kind === 'rejected') return checked
    const { batch } = checked
    if (batch.header.producerId >= 0n) {
      const verdict = this.#writer.producers.check(batch.header)
      if (verdict.kind === 'rejected') return verdict
      if (verdict.kind === 'duplicate') {
        const { baseOffset, lastOffset, timestampMs } = verdict.original
        const logAppendTimeMs = stampsTime ? timestampMs : -1n
        return { kind: 'duplicate', placed: { baseOffset, lastOffset, logAppendTimeMs } }
      }
    }
    if (stampsTime) stampLogAppendTime(batch, BigInt(this.#options.now()))
    const refused = this.#writer.place(batch, config)
    if (refused !== undefined) return refused
    const { baseOffset, lastOffset, maxTimestamp } = batch.header
    const logAppendTimeMs = stampsTime ? maxTimestamp : -1n
    return { kind: 'appended', placed: { baseOffset, lastOffset, logAppendTimeMs } }
  }

  /**
   * Calls back once: when the record at `offset` is stored at that level (at once, if it is
   * already), or when it is known that this will not happen. Callbacks run inside `commitTurn` or
   * after a sync; they must not throw.
   */
  onStored(offset: bigint, level: StorageLevel, callback: StorageCallback): void {
    this.#writer.onStored(offset, level, callback)
  }

  /** Calls back whenever the high watermark has moved; returns the way to stop that. */
  onHighWatermark(listener: (highWatermark: bigint) => void): () => void {
    return this.#writer.onHighWatermark(listener)
  }

  /**
   * Reads whole batches from the one that holds `offset` (it may begin below it) up to the high
   * watermark, no more than `bytesMax` bytes. At or above the high watermark, but inside the log,
   * it reads nothing.
   */
  read(offset: bigint, bytesMax: number, options: ReadOptions = {}): ReadOutcome {
    if (offset < this.#logStartOffset || offset > this.logEndOffset) return { kind: 'outOfRange' }
    try {
      const place = findBatch(this.#view, offset)
      const heldBack = options.firstBatchWhole === false && (place?.byteLength ?? 0) > bytesMax
      if (place === undefined || heldBack) return { kind: 'read', batches: NO_BATCHES }
      this.#keepWarm(place.segment)
      return { kind: 'read', batches: readBatches(place, bytesMax, this.#options.buffers) }
    } catch (error) {
      return storageFailure(error instanceof Error ? error.message : String(error))
    }
  }

  /** How many bytes `read` could give from this offset on, counted no further than `bytesMax`. */
  bytesReadable(offset: bigint, bytesMax: number): number {
    if (offset < this.#logStartOffset) return 0
    const view = this.#view
    try {
      const place = findBatch(view, offset)
      if (place === undefined) return 0
      this.#keepWarm(place.segment)
      return bytesFrom(view, place, bytesMax)
    } catch {
      return bytesMax // Whoever waits for bytes is to read, and to be told what is wrong.
    }
  }

  /** The first record whose timestamp is at or after the given one, below the high watermark. */
  offsetForTimestamp(timestampMs: bigint): TimestampedOffset | undefined {
    const found = findByTimestamp(this.#view, this.#logStartOffset, timestampMs)
    this.#unloadCold()
    return found
  }

  /** The record with the greatest timestamp below the high watermark, the earliest of equals. */
  offsetOfMaxTimestamp(): TimestampedOffset | undefined {
    const found = findMaxTimestamp(this.#view)
    this.#unloadCold()
    return found
  }

  get #view(): LogView {
    return { segments: this.#writer.segments, end: this.#writer.readableEnd }
  }

  #keepWarm(segment: Segment): void {
    if (segment === this.#warm || segment === this.#writer.segments.at(-1)) return
    this.#warm = segment
    this.#unloadCold()
  }

  #unloadCold(): void {
    for (const segment of this.#writer.segments.slice(0, -1)) {
      if (segment !== this.#warm) segment.unloadIndexes()
    }
  }

  /**
   * Moves the start of the log up to an offset, at most to the high watermark, and returns it. The
   * caller checkpoints it before it deletes anything (`deleteSegmentsBelow`).
   */
  async advanceLogStart(offset: bigint): Promise<bigint> {
    const wanted = offset < this.highWatermark ? offset : this.highWatermark
    // A log that starts beyond what is on the device could not be opened after a power cut.
    if (wanted > this.recoveryPoint) await this.#writer.sync()
    if (wanted > this.#logStartOffset) this.#logStartOffset = wanted
    return this.#logStartOffset
  }

  /** Moves the start of the log past the segments that retention gives up. */
  async applyRetention(): Promise<void> {
    const { closesActive, segmentsToDelete } = decideRetention(
      this.#writer.segments,
      this.#config,
      this.#options.now(),
    )
    if (closesActive) this.#writer.roll()
    this.#writer.producers.expire(this.#options.now())
    const next = this.#writer.segments[segmentsToDelete]
    if (next !== undefined) await this.advanceLogStart(next.baseOffset)
  }

  /**
   * Deletes the segments below an offset at which, or after which, the log durably starts. Durable
   * when it resolves.
   */
  deleteSegmentsBelow(offset: bigint): Promise<void> {
    return this.#alone(() => this.#writer.removeSegmentsBelow(offset))
  }

  /** Compacts the closed segments, where the topic says so and it is time. Throws a DiskError. */
  compact(rest: Rest): Promise<void> {
    return this.#alone(() => this.#cleaning.run(rest))
  }

  /** What changes the closed segments does so one after the other. */
  #alone(work: () => Promise<void>): Promise<void> {
    const turn = this.#maintenance.then(work)
    this.#maintenance = turn.catch(() => {})
    return turn
  }

  /** Syncs everything and closes the files. Resolves to whether the next start may trust them. */
  async close(): Promise<boolean> {
    await this.#endMaintenance()
    return this.#writer.close()
  }

  /** Closes the files as they are: of a log that is deleted, or not to be touched. */
  async discard(): Promise<void> {
    await this.#endMaintenance()
    await this.#writer.discard()
  }

  async #endMaintenance(): Promise<void> {
    this.#cleaning.stop()
    await this.#maintenance
  }
}
