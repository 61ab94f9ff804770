// Bringing a log back: decides what of its files is true, and cuts the rest.
//
// After a clean shutdown the files are trusted, and only their ends are looked at. Otherwise every
// segment that reaches past the recovery point is read whole, and its indexes are built anew.
//
// R1. What is kept is a prefix of the log: the first bad batch ends it, and every later segment is
//     deleted.
// R2. Nothing below the recovery point is ever cut. Where it is missing or broken, the log is not
//     opened, and no batch of it is touched.
// R3. When recovery ends, what it kept is on the device, and what it deleted will not come back.

import type { BatchHeader } from '@millrace/wire'
import { type Disk, joinPath } from '../disk/disk.ts'
import { leaderEpoch } from '../leader-epoch.ts'
import { checkedBatchesIn, headersIn } from './batch-scan.ts'
import { LogDamagedError } from './log-damaged-error.ts'
import { recoverProducers } from './producer-recovery.ts'
import type { ProducerState } from './producer-state.ts'
import { offsetFileName, offsetOfFileName, Segment, segmentSuffixes } from './segment.ts'
import { recoverSwaps } from './segment-swap.ts'

export interface RecoveryOptions {
  readonly disk: Disk
  /** The directory of the partition. */
  readonly directory: string
  readonly indexIntervalBytes: number
  /** As last checkpointed: everything below it is on the device. */
  readonly recoveryPoint: bigint
  /** As last checkpointed; `undefined` when there is none, and the files alone decide. */
  readonly logStartOffset: bigint | undefined
  readonly cleanShutdown: boolean
  readonly now: () => number
  /** One line for people about what was found and done. */
  readonly report: (line: string) => void
}

export interface RecoveredLog {
  /** At least one; the last one grows. */
  readonly segments: Segment[]
  readonly logStartOffset: bigint
  readonly logEndOffset: bigint
  readonly producers: ProducerState
}

/**
 * Opens what is left of a log.
 * @throws LogDamagedError
 */
export async function recoverLog(options: RecoveryOptions): Promise<RecoveredLog> {
  const recovery = new Recovery(options)
  try {
    return await recovery.run()
  } catch (error) {
    for (const segment of recovery.segments) segment.close()
    throw error
  }
}

class Recovery {
  readonly segments: Segment[] = []
  readonly #options: RecoveryOptions
  /** Segments that were read whole: the device may lack their ends, and has old indexes. */
  readonly #scanned: Segment[] = []
  /** Whether files were made or removed, so that the directory is to be synced. */
  #entriesChanged = false

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  async run(): Promise<RecoveredLog> {
    const { disk, directory, logStartOffset: start, recoveryPoint } = this.#options
    if (recoverSwaps(this.#options)) this.#entriesChanged = true
    const bases = this.#removeGivenUp(this.#basesFound())
    const first = bases[0] ?? start ?? 0n
    if (bases.length === 0) {
      bases.push(first)
      this.#entriesChanged = true
    }
    if (first > (start ?? first)) this.#refuse(directory, `offset ${start} is missing`) // R2
    const { logEndOffset, later } = this.#openInOrder(bases)
    if (logEndOffset < recoveryPoint) {
      const what = `it ends at offset ${logEndOffset}, and reached ${recoveryPoint}`
      this.#refuse(directory, what) // R2
    }
    for (const base of later) this.#drop(base)
    const logStartOffset = start === undefined || start < first ? first : start
    const recovered = { segments: this.segments, logStartOffset, logEndOffset }
    const { producers, removedSnapshots } = recoverProducers(this.#options, recovered)
    if (removedSnapshots) this.#entriesChanged = true
    await Promise.all(this.#scanned.flatMap((segment) => segment.files.map((file) => file.sync())))
    if (this.#entriesChanged || this.#scanned.length > 0) await disk.syncDirectory(directory) // R3
    for (const segment of this.segments.slice(0, -1)) segment.unloadIndexes()
    return { ...recovered, producers }
  }

  #basesFound(): bigint[] {
    const { disk, directory } = this.#options
    const bases: bigint[] = []
    for (const name of disk.list(directory) ?? []) {
      if (name.endsWith('.deleted')) this.#remove(name)
      const base = offsetOfFileName(name, '.log')
      if (base !== undefined) bases.push(base)
    }
    return bases
  }

  /** Deletes the segments that retention had given up already when the power failed. */
  #removeGivenUp(bases: readonly bigint[]): bigint[] {
    const start = this.#options.logStartOffset
    if (start === undefined) return [...bases]
    const first = Math.max(
      0,
      bases.findLastIndex((base) => base <= start),
    )
    for (const base of bases.slice(0, first)) this.#removeFilesOf(base)
    return bases.slice(first)
  }

  /** Opens segments as long as each begins where the one before it ends. */
  #openInOrder(bases: readonly bigint[]): { logEndOffset: bigint; later: readonly bigint[] } {
    let end = bases[0] ?? 0n
    for (const [index, base] of bases.entries()) {
      if (base !== end) {
        this.#assertMayCut(end, this.#path(base), `it should begin at offset ${end}`)
        return { logEndOffset: end, later: bases.slice(index) } // R1
      }
      const segment = new Segment(this.#options.disk, this.#options.directory, base)
      this.segments.push(segment)
      end = this.#endOf(segment, bases[index + 1])
    }
    return { logEndOffset: end, later: [] }
  }

  /** The offset after the last batch of a segment that is true. */
  #endOf(segment: Segment, next: bigint | undefined): bigint {
    const { recoveryPoint, cleanShutdown, indexIntervalBytes } = this.#options
    const isBelowRecoveryPoint = next !== undefined && next <= recoveryPoint
    if (!cleanShutdown && !isBelowRecoveryPoint) return this.#scan(segment)
    const end = segment.indexesArePlausible(indexIntervalBytes)
      ? this.#walkTail(segment)
      : undefined
    if (end !== undefined) return end
    this.#say(segment.file.path, 'its indexes do not fit it and are built anew')
    return this.#scan(segment)
  }

  /** Reads a segment whole, builds its indexes, and cuts it at the first bad batch. */
  #scan(segment: Segment): bigint {
    const { file, baseOffset } = segment
    this.#scanned.push(segment)
    segment.clearIndexes()
    let end = baseOffset
    for (const step of checkedBatchesIn(file, { from: 0, to: file.size })) {
      const bad = step.kind === 'bad' ? step.reason : misplaced(step.header, end)
      if (step.kind === 'bad' || bad !== undefined) {
        const what = `at byte ${step.position}, where offset ${end} should be, ${bad}`
        this.#assertMayCut(end, file.path, what)
        this.#say(file.path, `${what}: cut the ${file.size - step.position} bytes from there on`)
        file.truncate(step.position)
        break
      }
      segment.note(step.header, step.position, this.#options.indexIntervalBytes)
      end = step.header.lastOffset + 1n
    }
    segment.writeIndexes()
    return end
  }

  /** Goes from the last index entry to the end; `undefined` when the index leads astray. */
  #walkTail(segment: Segment): bigint | undefined {
    const { file, baseOffset } = segment
    const entry = segment.offsetIndex.last
    const newest = segment.timeIndex.last?.timestampMs ?? -1n
    let end = entry === undefined ? baseOffset : undefined
    for (const step of headersIn(file, { from: entry?.position ?? 0, to: file.size })) {
      if (step.kind === 'bad') return undefined
      const { header, position } = step
      const isEntry = end === undefined && header.lastOffset === entry?.lastOffset
      if (!isEntry && header.baseOffset !== end) return undefined
      if (header.maxTimestamp > newest) return undefined
      segment.note(header, position, this.#options.indexIntervalBytes)
      end = header.lastOffset + 1n
    }
    return end
  }

  /** R2 */
  #assertMayCut(offset: bigint, path: string, what: string): void {
    if (offset < this.#options.recoveryPoint) this.#refuse(path, what)
  }

  #refuse(path: string, what: string): never {
    throw new LogDamagedError(this.#options.disk.location(path), what)
  }

  #say(path: string, what: string): void {
    this.#options.report(`${this.#options.disk.location(path)}: ${what}`)
  }

  #drop(base: bigint): void {
    this.#say(this.#path(base), 'deleted, because the log ends before it')
    this.#removeFilesOf(base)
  }

  #removeFilesOf(base: bigint): void {
    for (const suffix of segmentSuffixes) this.#remove(offsetFileName(base, suffix))
  }

  #remove(name: string): void {
    this.#options.disk.remove(joinPath(this.#options.directory, name))
    this.#entriesChanged = true
  }

  #path(base: bigint): string {
    return joinPath(this.#options.directory, offsetFileName(base, '.log'))
  }
}

/** What is wrong with a sound batch, seen where it lies; `undefined` when nothing is. */
function misplaced(header: BatchHeader, expected: bigint): string | undefined {
  const { baseOffset, lastOffsetDelta, partitionLeaderEpoch } = header
  if (baseOffset !== expected) return `there is a batch of offset ${baseOffset}`
  if (partitionLeaderEpoch !== leaderEpoch) return `the leader epoch is ${partitionLeaderEpoch}`
  return lastOffsetDelta < 0 ? `the batch ends ${-lastOffsetDelta} before its base` : undefined
}
