// The entries of an index: of one size, only ever added at the end.
//
// X1. An index may be lost, never wrong. Entries are kept in memory while the segment grows and
//     reach the file when it is closed; until then the file may hold fewer.

import type { DiskFile } from '../disk/disk.ts'

export class IndexFile {
  readonly #file: DiskFile
  readonly #entryBytes: number
  /** All entries; `undefined` while they are only in the file. */
  #entries: Buffer | undefined
  #count: number
  #countWritten: number

  constructor(file: DiskFile, entryBytes: number) {
    this.#file = file
    this.#entryBytes = entryBytes
    this.#count = Math.floor(file.size / entryBytes)
    this.#countWritten = this.#count
  }

  get count(): number {
    return this.#count
  }

  get file(): DiskFile {
    return this.#file
  }

  /** Whether the file holds whole entries and nothing else. */
  get isWhole(): boolean {
    return this.#file.size % this.#entryBytes === 0
  }

  /** A view of one entry, valid until the next `add`. */
  entry(index: number): Buffer {
    const start = index * this.#entryBytes
    return this.#loaded().subarray(start, start + this.#entryBytes)
  }

  /** A view of a new entry at the end, to be filled. */
  add(): Buffer {
    const index = this.#count++
    const needed = this.#count * this.#entryBytes
    const entries = this.#loaded()
    if (entries.length < needed) {
      this.#entries = Buffer.alloc(Math.max(needed, entries.length * 2, 512))
      entries.copy(this.#entries)
    }
    return this.entry(index)
  }

  /** The last of the first entries, for all of which `holds` is true; -1 when there is none. */
  lastWhere(holds: (entry: Buffer) => boolean): number {
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(this.entry(middle))) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Writes the entries that are not in the file yet. Leaves the file as it was when it throws. */
  write(): void {
    if (this.#countWritten === this.#count) return
    const { size } = this.#file
    const start = this.#countWritten * this.#entryBytes
    try {
      this.#file.append([this.#loaded().subarray(start, this.#count * this.#entryBytes)])
    } catch (error) {
      this.#file.truncate(size)
      throw error
    }
    this.#countWritten = this.#count
  }

  /** Frees the memory of an index that is wholly in its file, which is read again when needed. */
  unload(): void {
    if (this.#countWritten === this.#count) this.#entries = undefined
  }

  /** Drops all entries, to build them anew. */
  clear(): void {
    this.#file.truncate(0)
    this.#entries = undefined
    this.#count = 0
    this.#countWritten = 0
  }

  #loaded(): Buffer {
    if (this.#entries === undefined) {
      this.#entries = Buffer.alloc(this.#count * this.#entryBytes)
      this.#file.read(this.#entries, 0)
    }
    return this.#entries
  }
}
