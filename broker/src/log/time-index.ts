// From when on a segment's records are: Kafka's `.timeindex`, entries of 12 bytes (big-endian):
// the greatest timestamp so far (int64), and the last offset of the first batch that has it,
// relative to the segment's base (int32). Both grow from entry to entry.

import type { DiskFile } from '../disk/disk.ts'
import { IndexFile } from './index-file.ts'

const entryBytes = 12

/** Kafka's timestamp of records that have none. */
const noTimestamp = -1n

/** The greatest timestamp in a stretch of the log, and the last offset of the batch that has it. */
export interface MaxTimestamp {
  readonly timestampMs: bigint
  readonly lastOffset: bigint
}

export class TimeIndex {
  readonly #baseOffset: bigint
  readonly file: IndexFile

  constructor(file: DiskFile, baseOffset: bigint) {
    this.#baseOffset = baseOffset
    this.file = new IndexFile(file, entryBytes)
  }

  /** Adds an entry, unless its timestamp is no greater than that of the last one, or is none. */
  add(max: MaxTimestamp): void {
    if (max.timestampMs <= (this.last?.timestampMs ?? noTimestamp)) return
    const entry = this.file.add()
    entry.writeBigInt64BE(max.timestampMs, 0)
    entry.writeInt32BE(Number(max.lastOffset - this.#baseOffset), 8)
  }

  get last(): MaxTimestamp | undefined {
    return this.#at(this.file.count - 1)
  }

  /** The last entry at or before a time: no batch before the one it names is later than that. */
  lastAtOrBefore(timestampMs: bigint): MaxTimestamp | undefined {
    return this.#at(this.file.lastWhere((entry) => entry.readBigInt64BE(0) <= timestampMs))
  }

  /** The last entry that speaks of a batch below an offset. */
  lastBelow(offset: bigint): MaxTimestamp | undefined {
    const wanted = Number(offset - this.#baseOffset)
    return this.#at(this.file.lastWhere((entry) => entry.readInt32BE(8) < wanted))
  }

  /** Whether the entries can be true. That of a closed segment with records has at least one. */
  get isPlausible(): boolean {
    const { last } = this
    const before = this.#at(this.file.count - 2)
    return (
      this.file.isWhole &&
      last !== undefined &&
      last.timestampMs > (before?.timestampMs ?? noTimestamp) &&
      last.lastOffset >= (before?.lastOffset ?? this.#baseOffset)
    )
  }

  #at(index: number): MaxTimestamp | undefined {
    if (index < 0) return undefined
    const entry = this.file.entry(index)
    return {
      timestampMs: entry.readBigInt64BE(0),
      lastOffset: this.#baseOffset + BigInt(entry.readInt32BE(8)),
    }
  }
}
