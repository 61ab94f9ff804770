// Where in a segment an offset lies: Kafka's `.index`, entries of 8 bytes (big-endian):
// the last offset of a batch, relative to the segment's base (int32), and the position at which
// that batch begins (int32). Both grow from entry to entry.

import type { DiskFile } from '../disk/disk.ts'
import { IndexFile } from './index-file.ts'

const entryBytes = 8

export class OffsetIndex {
  readonly #baseOffset: bigint
  readonly file: IndexFile

  constructor(file: DiskFile, baseOffset: bigint) {
    this.#baseOffset = baseOffset
    this.file = new IndexFile(file, entryBytes)
  }

  add(lastOffset: bigint, position: number): void {
    const entry = this.file.add()
    entry.writeInt32BE(Number(lastOffset - this.#baseOffset), 0)
    entry.writeInt32BE(position, 4)
  }

  get last(): { readonly lastOffset: bigint; readonly position: number } | undefined {
    if (this.file.count === 0) return undefined
    const entry = this.file.entry(this.file.count - 1)
    return {
      lastOffset: this.#baseOffset + BigInt(entry.readInt32BE(0)),
      position: entry.readInt32BE(4),
    }
  }

  /** A position at or before the batch that holds the offset, and not far before it. */
  positionBefore(offset: bigint): number {
    const wanted = Number(offset - this.#baseOffset)
    const index = this.file.lastWhere((entry) => entry.readInt32BE(0) <= wanted)
    return index < 0 ? 0 : this.file.entry(index).readInt32BE(4)
  }

  /** Whether the entries can be true of a segment of so many bytes. A lost index cannot. */
  isPlausible(segmentBytes: number, intervalBytes: number): boolean {
    const { count, isWhole } = this.file
    if (!isWhole) return false
    if (count === 0) return segmentBytes <= intervalBytes
    // The first batch has no entry, and entries grow; what a crash left as zeros does not.
    const last = this.file.entry(count - 1)
    const before = count > 1 ? this.file.entry(count - 2) : undefined
    return (
      last.readInt32BE(0) > (before?.readInt32BE(0) ?? -1) &&
      last.readInt32BE(4) > (before?.readInt32BE(4) ?? 0) &&
      last.readInt32BE(4) < segmentBytes
    )
  }
}
