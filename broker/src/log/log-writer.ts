// The growing end of a log: what a turn brought, what is written, what is on the device.
//
// L1. Offsets only grow, and follow each other without a gap.
// L2. With flush policy `ack` the high watermark never passes what is on the device: the files, and
//     the directory that names them. What it passed is what acks=all acknowledges.
// L3. A turn that could not be written is taken back whole: offsets, producer state, and bytes.
// L4. After a failed sync nobody knows what is on the device: nothing more is acknowledged or taken
//     until recovery has looked.

import { placeBatch, type RecordBatch } from '@millrace/wire'
import { type Disk, DiskError, type DiskFile } from '../disk/disk.ts'
import { GroupCommit } from '../disk/group-commit.ts'
import { leaderEpoch } from '../leader-epoch.ts'
import { unsyncedBytesMax } from '../limits.ts'
import { headersIn } from './batch-scan.ts'
import type { Flusher, TurnWriter } from './flusher.ts'
import type { LogConfig } from './log-config.ts'
import type { ReadableEnd } from './log-read.ts'
import type { ProducerState } from './producer-state.ts'
import type { RecoveredLog } from './recovery.ts'
import { mustRoll, rollSegment, writeSnapshot } from './roll.ts'
import { Segment } from './segment.ts'
import { givenUpSegments, removeSegments } from './segment-removal.ts'
import { complete } from './segment-swap.ts'
import {
  type StorageCallback,
  type StorageLevel,
  StorageWaiters,
  storageFailure,
} from './storage-waiters.ts'
import { type Rejected, reject } from './validation.ts'

/** `failed` logs take no more until the broker is started again; what is durable stays readable. */
export type LogStatus =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly message: string }

export interface LogWriterOptions {
  /** What the log is called in messages: topic and partition. */
  readonly name: string
  readonly disk: Disk
  readonly directory: string
  readonly flusher: Flusher
  readonly now: () => number
  readonly report: (line: string) => void
}

export class LogWriter implements TurnWriter {
  readonly producers: ProducerState
  readonly #options: LogWriterOptions
  readonly #commits: GroupCommit
  readonly #segments: Segment[]
  readonly #waiters = new StorageWaiters()
  readonly #listeners = new Set<(highWatermark: bigint) => void>()
  #status: LogStatus = { kind: 'open' }
  /** Whether the last write found no space: told once, not with every turn. */
  #isFull = false
  /** Counts what this turn brought, which is not written yet. */
  #logEndOffset: bigint
  #writtenEnd: bigint
  #syncedEnd: bigint
  #readableEnd: ReadableEnd
  #turn: RecordBatch[] = []
  #turnBytes = 0
  #indexIntervalBytes = 0
  /** Files with bytes that no sync has taken yet. */
  readonly #unsynced = new Set<DiskFile>()
  #unsyncedBytes = 0
  /** Files that the sync in flight is about. */
  #syncing: readonly DiskFile[] = []
  /** Whether files were made since the directory was last synced. */
  #entriesChanged = false

  constructor(options: LogWriterOptions, recovered: RecoveredLog) {
    this.#options = options
    this.#commits = new GroupCommit(() => this.#commit(), options.flusher.defer)
    this.producers = recovered.producers
    this.#segments = recovered.segments
    this.#logEndOffset = recovered.logEndOffset
    this.#writtenEnd = recovered.logEndOffset
    this.#syncedEnd = recovered.logEndOffset
    this.#readableEnd = this.#endOfFile()
  }

  get status(): LogStatus {
    return this.#status
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  /** The offset that the next record gets. */
  get logEndOffset(): bigint {
    return this.#logEndOffset
  }

  /** Where the high watermark lies. */
  get readableEnd(): ReadableEnd {
    return this.#readableEnd
  }

  /** Everything below it is on the device, whatever the flush policy. */
  get syncedEnd(): bigint {
    return this.#syncedEnd
  }

  /** Gives a batch its place in the log and in this turn; the segment is changed where needed. */
  place(batch: RecordBatch, config: LogConfig): Rejected | undefined {
    if (this.#status.kind === 'failed') return reject('kafkaStorageError', this.#status.message)
    const segment = this.#active
    const sizeBytes = segment.size + this.#turnBytes
    if (mustRoll({ segment, sizeBytes, batch, offset: this.#logEndOffset, config })) {
      const refused = this.roll()
      if (refused !== undefined) return refused
    }
    placeBatch(batch, { baseOffset: this.#logEndOffset, leaderEpoch }) // L1
    this.producers.record(batch.header, this.#options.now())
    if (this.#turn.length === 0) this.#options.flusher.add(this)
    this.#turn.push(batch)
    this.#turnBytes += batch.bytes.length
    this.#indexIntervalBytes = config.indexIntervalBytes
    this.#logEndOffset = batch.header.lastOffset + 1n
    return undefined
  }

  /** Closes the growing segment and begins the next one. */
  roll(): Rejected | undefined {
    const end = this.#logEndOffset
    this.writeTurn() // What the turn brought so far belongs to the segment that is closed.
    if (this.#writtenEnd !== end) {
      return reject('kafkaStorageError', 'the batches before it could not be written')
    }
    const { disk, directory } = this.#options
    const place = { disk, directory, producers: this.producers }
    try {
      const { next, unsynced } = rollSegment(place, this.#active, this.#writtenEnd)
      for (const file of unsynced) this.#unsynced.add(file)
      this.#segments.push(next)
    } catch (error) {
      return reject('kafkaStorageError', messageOf(error))
    }
    this.#entriesChanged = true
    this.#commits.request()
    return undefined
  }

  /** Writes what this turn brought. `Flusher.commitTurn` calls it. */
  writeTurn(): void {
    if (this.#turn.length === 0) return
    const segment = this.#active
    let position = segment.size
    try {
      segment.file.append(this.#turn.map((batch) => batch.bytes))
    } catch (error) {
      this.#undoTurn(position, error)
      return
    }
    this.#isFull = false
    for (const { header, bytes } of this.#turn) {
      segment.note(header, position, this.#indexIntervalBytes)
      position += bytes.length
    }
    this.#unsyncedBytes += this.#turnBytes
    this.#clearTurn()
    this.producers.keepTurn()
    this.#writtenEnd = this.#logEndOffset
    this.#unsynced.add(segment.file)
    const { policy } = this.#options.flusher
    this.#waiters.stored('written', this.#writtenEnd)
    if (policy === 'os') this.#moveHighWatermark(this.#endOfFile())
    if (policy === 'ack' || this.#unsyncedBytes > unsyncedBytesMax) this.#commits.request()
  }

  #clearTurn(): void {
    this.#turn = []
    this.#turnBytes = 0
  }

  /** L3 */
  #undoTurn(size: number, cause: unknown): void {
    this.#clearTurn()
    this.producers.undoTurn()
    this.#logEndOffset = this.#writtenEnd
    try {
      this.#active.file.truncate(size)
    } catch (error) {
      this.#fail(error)
      return
    }
    if (!(cause instanceof DiskError && cause.code === 'full')) {
      this.#fail(cause)
      return
    }
    const outcome = storageFailure(
      `${this.#options.name} refuses records: ${cause.message}; it takes them again once there is`,
    )
    if (!this.#isFull) this.#options.report(outcome.message)
    this.#isFull = true
    this.#waiters.failed('written', this.#writtenEnd, outcome)
    this.#waiters.failed('durable', this.#writtenEnd, outcome)
  }

  /** Syncs everything that is written. */
  async #commit(): Promise<void> {
    if (this.#status.kind === 'failed') return
    const { disk, directory, flusher } = this.#options
    const end = this.#endOfFile()
    this.#syncing = [...this.#unsynced]
    const syncs = this.#syncing.map((file) => file.sync())
    if (this.#entriesChanged) syncs.push(disk.syncDirectory(directory)) // L2
    this.#unsynced.clear()
    this.#unsyncedBytes = 0
    this.#entriesChanged = false
    const outcomes = await Promise.allSettled(syncs)
    this.#syncing = []
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) {
      this.#fail(failed.reason)
      return
    }
    this.#syncedEnd = end.offset
    if (flusher.policy === 'ack') this.#moveHighWatermark(end)
  }

  #moveHighWatermark(end: ReadableEnd): void {
    const moved = end.offset > this.#readableEnd.offset
    this.#readableEnd = end
    if (!moved) return
    this.#waiters.stored('durable', end.offset)
    for (const listener of this.#listeners) listener(end.offset)
  }

  /** L4 */
  #fail(cause: unknown): void {
    if (this.#status.kind === 'failed') return
    const message =
      `${this.#options.name} takes no more records: ${messageOf(cause)}; ` +
      'check the disk, then start the broker again'
    this.#options.report(message)
    this.#end(message)
  }

  #end(message: string): void {
    this.#status = { kind: 'failed', message }
    this.#clearTurn()
    this.producers.undoTurn()
    this.#logEndOffset = this.#writtenEnd
    this.#waiters.failed('written', this.#writtenEnd, storageFailure(message))
    this.#waiters.failed('durable', this.#readableEnd.offset, storageFailure(message))
  }

  /** See `PartitionLog.onStored`. */
  onStored(offset: bigint, level: StorageLevel, callback: StorageCallback): void {
    const end = level === 'written' ? this.#writtenEnd : this.#readableEnd.offset
    if (offset < end) callback({ kind: 'stored' })
    else if (this.#status.kind === 'failed') callback(storageFailure(this.#status.message))
    else if (offset >= this.#logEndOffset) callback(storageFailure('the batch was not written'))
    else this.#waiters.wait(level, { offset, callback })
  }

  onHighWatermark(listener: (highWatermark: bigint) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves when everything that is written now is on the device. Throws when the log failed. */
  async sync(): Promise<void> {
    this.writeTurn()
    const end = this.#writtenEnd
    while (this.#syncedEnd < end && this.#status.kind === 'open') {
      this.#commits.request()
      await this.#commits.settled()
    }
    if (this.#status.kind === 'failed') throw new DiskError('failed', this.#status.message)
  }

  /** Whether all of a closed segment is on the device, and no sync has its files in hand. */
  isAtRest(segment: Segment): boolean {
    const next = this.#segments[this.#segments.indexOf(segment) + 1]
    const isBusy = (file: DiskFile) => this.#unsynced.has(file) || this.#syncing.includes(file)
    return next !== undefined && next.baseOffset <= this.#syncedEnd && !segment.files.some(isBusy)
  }

  /** Deletes the segments below the log's start, which must be on the device already. */
  async removeSegmentsBelow(logStart: bigint): Promise<void> {
    while (this.#status.kind === 'open') {
      const count = givenUpSegments(this.#segments, { logStart, synced: this.#syncedEnd })
      const files = this.#segments.slice(0, count).flatMap((segment) => segment.files)
      if (files.some((file) => this.#unsynced.has(file) || this.#syncing.includes(file))) {
        this.#commits.request()
        await this.#commits.settled() // A file must not be closed under a sync.
        continue
      }
      if (count > 0) await removeSegments(this.#options, this.#segments.splice(0, count))
      return
    }
  }

  /**
   * Puts a file that a compaction promised in the place of neighbouring closed segments, in one
   * turn. They must be on the device. Durable when it resolves. Throws a DiskError.
   */
  async swapSegments(group: readonly Segment[], indexIntervalBytes: number): Promise<void> {
    const { disk, directory } = this.#options
    const [first] = group
    if (first === undefined) return
    try {
      for (const segment of group) segment.close()
      complete(
        this.#options,
        group.map(({ baseOffset }) => baseOffset),
      )
      const next = new Segment(disk, directory, first.baseOffset)
      this.#segments.splice(this.#segments.indexOf(first), group.length, next)
      for (const step of headersIn(next.file, { from: 0, to: next.size })) {
        if (step.kind === 'batch') next.note(step.header, step.position, indexIntervalBytes)
      }
      next.writeIndexes()
      next.unloadIndexes()
      await Promise.all(next.files.map((file) => file.sync()))
      await disk.syncDirectory(directory)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  /**
   * Syncs everything, indexes and producer state included, and closes the files. Resolves to
   * whether that succeeded, so that the next start may trust the files.
   */
  async close(): Promise<boolean> {
    this.writeTurn()
    await this.#commits.settled()
    const isComplete = this.#status.kind === 'open' && this.#writeAids()
    await this.#commit()
    const isClean = isComplete && this.#status.kind === 'open'
    await this.discard()
    return isClean
  }

  /** Writes what spares the next start work. Without space for it, that start works. */
  #writeAids(): boolean {
    const { disk, directory, report } = this.#options
    for (const file of this.#active.files) this.#unsynced.add(file)
    this.#entriesChanged = true
    try {
      this.#active.writeIndexes()
      writeSnapshot({ disk, directory, producers: this.producers }, this.#writtenEnd)
      return true
    } catch (error) {
      report(`${this.#options.name}: its indexes are not saved: ${messageOf(error)}`)
      return false
    }
  }

  /** Closes the files as they are. */
  async discard(): Promise<void> {
    this.#end(`${this.#options.name} is closed`)
    await this.#commits.settled()
    for (const segment of this.#segments) segment.close()
  }

  /** The segment that grows. */
  get #active(): Segment {
    const active = this.#segments.at(-1)
    if (active === undefined) throw new Error('a log has at least one segment')
    return active
  }

  #endOfFile(): ReadableEnd {
    const { baseOffset: segmentBase, size: position } = this.#active
    return { offset: this.#writtenEnd, segmentBase, position }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
