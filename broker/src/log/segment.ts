// A stretch of a log: the `.log` file, which is batches as they travel on the wire, one after the
// other, and the two indexes over it. Only the last segment of a log grows.

import { type BatchHeader, batchHeaderBytes } from '@millrace/wire'
import { type Disk, type DiskFile, joinPath } from '../disk/disk.ts'
import { headersIn } from './batch-scan.ts'
import { OffsetIndex } from './offset-index.ts'
import { type MaxTimestamp, TimeIndex } from './time-index.ts'

/** The names of files that belong to an offset begin with it, in 20 digits. */
export function offsetFileName(offset: bigint, suffix: string): string {
  return `${offset.toString().padStart(20, '0')}${suffix}`
}

/** The offset in a file's name; `undefined` when it is no such name with that suffix. */
export function offsetOfFileName(name: string, suffix: string): bigint | undefined {
  if (!name.endsWith(suffix)) return undefined
  const digits = name.slice(0, -suffix.length)
  return /^\d{20}$/.test(digits) ? BigInt(digits) : undefined
}

export const segmentSuffixes = ['.log', '.index', '.timeindex'] as const

export class Segment {
  readonly baseOffset: bigint
  readonly file: DiskFile
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  #max: MaxTimestamp | undefined
  #firstTimestampMs: bigint | undefined
  #bytesSinceEntry = 0

  /** Opens the files of a segment, which are made when they are missing. */
  constructor(disk: Disk, directory: string, baseOffset: bigint) {
    const opened: DiskFile[] = []
    const open = (suffix: string): DiskFile => {
      const file = disk.open(joinPath(directory, offsetFileName(baseOffset, suffix)))
      opened.push(file)
      return file
    }
    this.baseOffset = baseOffset
    try {
      this.file = open('.log')
      this.offsetIndex = new OffsetIndex(open('.index'), baseOffset)
      this.timeIndex = new TimeIndex(open('.timeindex'), baseOffset)
    } catch (error) {
      for (const file of opened) file.close()
      throw error
    }
  }

  /** Bytes of batches in the file. */
  get size(): number {
    return this.file.size
  }

  get files(): readonly DiskFile[] {
    return [this.file, this.offsetIndex.file.file, this.timeIndex.file.file]
  }

  /** The greatest timestamp of its batches, and where it is. */
  get maxTimestamp(): MaxTimestamp | undefined {
    this.#max ??= this.timeIndex.last
    return this.#max
  }

  /** When the newest record is from: by its timestamp, else by the time of the last write. */
  get newestAtMs(): number {
    const timestampMs = this.maxTimestamp?.timestampMs
    return timestampMs === undefined ? this.file.modifiedAtMs : Number(timestampMs)
  }

  /** The greatest timestamp of the first batch: the age of the segment counts from it. */
  get firstTimestampMs(): bigint | undefined {
    this.#firstTimestampMs ??= this.#readFirstTimestamp()
    return this.#firstTimestampMs
  }

  #readFirstTimestamp(): bigint | undefined {
    for (const step of headersIn(this.file, { from: 0, to: this.size })) {
      return step.kind === 'batch' ? step.header.maxTimestamp : undefined
    }
    return undefined
  }

  /** Takes note of a batch that is in the file at `position`, the next one after the last noted. */
  note(header: BatchHeader, position: number, indexIntervalBytes: number): void {
    const { maxTimestamp: timestampMs, lastOffset } = header
    if (position === 0) this.#firstTimestampMs = timestampMs
    if (timestampMs > (this.maxTimestamp?.timestampMs ?? -1n)) {
      this.#max = { timestampMs, lastOffset }
    }
    if (this.#bytesSinceEntry > indexIntervalBytes) {
      this.offsetIndex.add(lastOffset, position)
      if (this.#max !== undefined) this.timeIndex.add(this.#max)
      this.#bytesSinceEntry = 0
    }
    this.#bytesSinceEntry += header.byteLength
  }

  /** Whether the indexes, as read from their files, can be true of this segment. */
  indexesArePlausible(indexIntervalBytes: number): boolean {
    // One header is what compaction leaves of a segment whose records are all gone.
    if (this.size <= batchHeaderBytes) return this.offsetIndex.file.count === 0
    return this.offsetIndex.isPlausible(this.size, indexIntervalBytes) && this.timeIndex.isPlausible
  }

  /** Drops the indexes; noting every batch again builds them anew. */
  clearIndexes(): void {
    this.offsetIndex.file.clear()
    this.timeIndex.file.clear()
    this.#max = undefined
    this.#firstTimestampMs = undefined
    this.#bytesSinceEntry = 0
  }

  /** Empties the files: what an earlier life may have left under these names is given up. */
  clear(): void {
    this.file.truncate(0)
    this.clearIndexes()
  }

  /** Writes the indexes to their files, the greatest timestamp last. Throws a DiskError. */
  writeIndexes(): void {
    if (this.#max !== undefined) this.timeIndex.add(this.#max)
    this.offsetIndex.file.write()
    this.timeIndex.file.write()
  }

  unloadIndexes(): void {
    this.offsetIndex.file.unload()
    this.timeIndex.file.unload()
  }

  close(): void {
    for (const file of this.files) file.close()
  }
}

/** The last segment that begins at or before an offset; its index in the list, or -1. */
export function segmentIndexFor(segments: readonly Segment[], offset: bigint): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const base = segments[middle]?.baseOffset
    if (base !== undefined && base <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}
