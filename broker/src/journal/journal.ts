// The broker's own state on disk: an append-only file of checked frames. State is changed by
// applying records and by nothing else, the same way while running and on restart.
//
// J1. What one append wrote is replayed as a whole or not at all.
// J2. A promise of `append` resolves only when its frame, and the file's name, are on the device.
// J3. Replay keeps a prefix. Damage below what was durable refuses to open; it is never cut away.
// J4. A rewrite replaces the file in one step: a crash leaves the old journal or the new one, and
//     either holds everything that was acknowledged.

import { type Disk, DiskError, type DiskFile, ROOT } from '../disk/disk.ts'
import { type Defer, GroupCommit } from '../disk/group-commit.ts'
import { journalBytesMax, journalFrameBytesMax } from '../limits.ts'
import type { FlushPolicy } from '../log/log-config.ts'
import { encodeHeader, encodeRecords, encodeSynced } from './frames.ts'
import { JournalError } from './journal-error.ts'
import { replay } from './replay.ts'

export interface JournalOptions {
  readonly disk: Disk
  /** The journal's file, for example `journal/groups`. Its directory must exist. */
  readonly path: string
  readonly flush: FlushPolicy
  /** Changes the state by one record: for each stored record on opening, then for each appended. */
  readonly apply: (record: Uint8Array) => void
  /** Records from which `apply` builds the present state anew; asked for when the file is long. */
  readonly snapshot: () => Iterable<Uint8Array>
  /** One line for people about what was found and done. */
  readonly report: (line: string) => void
  /** The file is rewritten as a snapshot when it is past this, and past twice the last snapshot. */
  readonly bytesMax?: number
  readonly defer?: Defer
}

/** An append that waits for the file to be durable up to `end`. */
interface Waiting {
  readonly end: number
  readonly resolve: () => void
  readonly reject: (error: JournalError) => void
}

export class Journal implements AsyncDisposable {
  readonly #options: JournalOptions
  readonly #commits: GroupCommit
  #file: DiskFile
  #waiting: Waiting[] = []
  #failure: JournalError | undefined
  #bytesSynced: number
  #bytesMax: number

  /**
   * Opens the journal, made when it is missing, and applies its records.
   * @throws JournalError `damaged`, `newer`; DiskError
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { disk, path, report } = options
    const file = disk.open(path)
    const location = disk.location(path)
    const end = replay(file, location, options.apply)
    if (end < file.size) {
      report(`${location}: cut ${file.size - end} bytes at ${end} that were not wholly written`)
      file.truncate(end)
    }
    if (end === 0) file.append([encodeHeader()])
    // What the last process wrote and did not sync is state now, and must not vanish again.
    await file.sync()
    await disk.syncDirectory(directoryOf(path)) // J2
    return new Journal(options, file)
  }

  private constructor(options: JournalOptions, file: DiskFile) {
    this.#options = options
    this.#file = file
    this.#bytesSynced = file.size
    this.#bytesMax = options.bytesMax ?? journalBytesMax
    this.#commits = new GroupCommit(() => this.#commit(), options.defer)
    this.#vouch()
  }

  /**
   * Writes the records as one frame, so that all of them survive a crash or none, and applies
   * them before it returns. The promise resolves when they are durable: reply then, not before.
   * @returns a promise that rejects with a JournalError; `full` means that nothing was written and
   * nothing applied; after `failed` the journal takes no more until the broker is started again
   */
  append(records: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    try {
      this.#write([encodeRecords(records)]) // J1
    } catch (error) {
      return Promise.reject(this.#refused(error))
    }
    for (const record of records) this.#options.apply(record)
    if (this.#options.flush === 'os') {
      if (this.#file.size > this.#bytesMax) this.#commits.request()
      return Promise.resolve()
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ end: this.#file.size, resolve, reject })
    this.#commits.request()
    return promise
  }

  /** Syncs what is written, and closes the file. */
  async close(): Promise<void> {
    await this.#commits.settled()
    const closed = new JournalError('failed', `${this.#location} is closed`)
    if (this.#failure === undefined) {
      this.#failure = closed
      await this.#file.sync()
      this.#bytesSynced = this.#file.size
      this.#vouch()
      await this.#file.sync()
    }
    this.#file.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #location(): string {
    return this.#options.disk.location(this.#options.path)
  }

  async #commit(): Promise<void> {
    try {
      if (this.#file.size > this.#bytesMax) await this.#rewrite()
      const end = this.#file.size
      await this.#file.sync()
      this.#bytesSynced = end
      this.#vouch()
      this.#acknowledge(end)
    } catch (error) {
      this.#fail(error)
    }
  }

  #acknowledge(end: number): void {
    const waiting = this.#waiting
    this.#waiting = waiting.filter((append) => append.end > end)
    for (const append of waiting) if (append.end <= end) append.resolve()
  }

  /** Notes in the file how much of it is durable. Without space for that, it stays unsaid. */
  #vouch(): void {
    try {
      this.#write([encodeSynced(this.#bytesSynced)])
    } catch (error) {
      if (!(error instanceof DiskError && error.code === 'full')) this.#fail(error)
    }
  }

  /** Appends to the file, or leaves it as it was. */
  #write(chunks: readonly Uint8Array[]): void {
    const { size } = this.#file
    try {
      this.#file.append(chunks)
    } catch (error) {
      this.#file.truncate(size)
      throw error
    }
  }

  /**
   * Writes the present state into a new file, which takes all further appends and then replaces
   * the old one. Whoever waits for the old file is served by the new one, which holds their state.
   */
  async #rewrite(): Promise<void> {
    const { disk, path } = this.#options
    const old = this.#file
    const temporary = `${path}.tmp`
    disk.remove(temporary)
    const next = disk.open(temporary)
    const frames = this.#snapshotFrames()
    const snapshotBytes = frames.reduce((sum, frame) => sum + frame.length, 0)
    try {
      next.append([...frames, encodeSynced(snapshotBytes)])
    } catch (error) {
      next.close()
      disk.remove(temporary)
      if (!(error instanceof DiskError && error.code === 'full')) throw error
      this.#bytesMax = old.size * 2
      return
    }
    this.#file = next
    old.close()
    this.#waiting = this.#waiting.map((append) => ({ ...append, end: snapshotBytes }))
    this.#bytesMax = Math.max(this.#options.bytesMax ?? journalBytesMax, snapshotBytes * 2)
    await next.sync()
    disk.rename(temporary, path)
    this.#file = disk.open(path)
    next.close()
    await disk.syncDirectory(directoryOf(path)) // J2, J4
  }

  #snapshotFrames(): readonly Uint8Array[] {
    const frames: Uint8Array[] = [encodeHeader()]
    let group: Uint8Array[] = []
    let groupBytes = 0
    for (const record of this.#options.snapshot()) {
      group.push(record)
      groupBytes += record.length
      if (groupBytes < journalFrameBytesMax) continue
      frames.push(encodeRecords(group))
      group = []
      groupBytes = 0
    }
    return [...frames, encodeRecords(group)]
  }

  #refused(error: unknown): JournalError {
    if (error instanceof DiskError && error.code === 'full') {
      return new JournalError('full', error.message, error)
    }
    return this.#fail(error)
  }

  /** After a failed write or sync nobody knows what is on the device: no retry, no reply. */
  #fail(cause: unknown): JournalError {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const failure = new JournalError(
      'failed',
      `${this.#location} takes no more: ${reason}; check the disk, then start the broker again`,
      cause,
    )
    this.#failure ??= failure
    for (const append of this.#waiting) append.reject(failure)
    this.#waiting = []
    this.#options.report(failure.message)
    return failure
  }
}

function directoryOf(path: string): string {
  const cut = path.lastIndexOf('/')
  return cut < 0 ? ROOT : path.slice(0, cut)
}
