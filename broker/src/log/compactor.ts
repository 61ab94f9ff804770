// Compacts the closed segments of a log: reads them twice, once for the last offset of each key,
// once to write what stays, and puts what it wrote in their place.
//
// M1. Offsets stay as they are, and stay covered: where records are gone, a batch without records
//     stands for them. So a compacted log follows without a gap like any other.
// M2. The segment that grows, and what is not on the device yet, are never touched.
// M3. It works in turns of `compactionTurnBytes`, so that no client waits for it.

import { emptyBatch, type RecordBatch } from '@millrace/wire'
import type { DiskFile } from '../disk/disk.ts'
import { leaderEpoch } from '../leader-epoch.ts'
import { compactionKeysMax, compactionTurnBytes } from '../limits.ts'
import { type CheckedBatch, checkedBatchesIn } from './batch-scan.ts'
import { type CleaningTimes, cleanBatch, LatestOffsets } from './compaction.ts'
import type { Segment } from './segment.ts'
import { cleanedPath, promise, type SwapPlace } from './segment-swap.ts'

export interface CompactorOptions extends SwapPlace, CleaningTimes {
  readonly segmentBytes: number
  /** Lets the clients have their turn (M3). Resolves to false when the work is to be given up. */
  readonly rest: () => Promise<boolean>
  /** Puts `<first base>.log.swap` in the place of these segments, in one turn. */
  readonly swap: (segments: readonly Segment[]) => Promise<void>
}

export type CompactionOutcome =
  | {
      readonly kind: 'compacted'
      /** Below it every key has one record, as of now. */
      readonly cleanEnd: bigint
      /** When the first tombstone that was kept may go. */
      readonly nextHorizonMs: number | null
    }
  | { readonly kind: 'givenUp' }
  /** A segment holds what is no batch. It stays as it is. */
  | { readonly kind: 'damaged'; readonly path: string; readonly reason: string }

/** What ends the work early, from anywhere in it. */
class Interruption extends Error {
  readonly outcome: CompactionOutcome

  constructor(outcome: CompactionOutcome) {
    super(outcome.kind)
    this.outcome = outcome
  }
}

/**
 * Compacts closed segments, the oldest first; those from `dirtyFrom` on were not compacted before.
 * @throws DiskError
 */
export async function compactSegments(
  segments: readonly Segment[],
  dirtyFrom: bigint,
  options: CompactorOptions,
): Promise<CompactionOutcome> {
  try {
    const { latest, cleanEnd } = await latestOffsets(segments, dirtyFrom, options)
    let nextHorizonMs: number | null = null
    const known = segments.filter(({ baseOffset }) => baseOffset < cleanEnd)
    for (const group of groupsOf(known, options.segmentBytes)) {
      const { horizonMs, isChanged } = await writeGroup(group, latest, options)
      if (horizonMs !== null) nextHorizonMs = Math.min(nextHorizonMs ?? horizonMs, horizonMs)
      const [{ baseOffset }] = group
      if (isChanged) {
        await promise(options, baseOffset)
        await options.swap(group)
      } else {
        options.disk.remove(cleanedPath(options, baseOffset))
      }
    }
    return { kind: 'compacted', cleanEnd, nextHorizonMs }
  } catch (error) {
    if (error instanceof Interruption) return error.outcome
    throw error
  }
}

/** Where each key was said last, in as many dirty segments as there is memory for. */
async function latestOffsets(
  segments: readonly Segment[],
  dirtyFrom: bigint,
  options: CompactorOptions,
): Promise<{ readonly latest: LatestOffsets; readonly cleanEnd: bigint }> {
  const latest = new LatestOffsets()
  let cleanEnd = dirtyFrom
  for (const segment of segments) {
    if (segment.baseOffset < dirtyFrom) continue
    if (latest.size > compactionKeysMax) break
    for await (const { batch } of batchesOf(segment.file, options)) {
      latest.note(batch)
      cleanEnd = batch.header.lastOffset + 1n
    }
  }
  return { latest, cleanEnd }
}

type Group = readonly [Segment, ...Segment[]]

/** Neighbours that together are no larger than one segment become one. */
function groupsOf(segments: readonly Segment[], segmentBytes: number): readonly Group[] {
  const groups: [Segment, ...Segment[]][] = []
  let bytes = 0
  for (const segment of segments) {
    const group = groups.at(-1)
    const span = group === undefined ? 0n : segment.baseOffset - group[0].baseOffset
    if (group === undefined || bytes + segment.size > segmentBytes || span > offsetSpanMax) {
      groups.push([segment])
      bytes = segment.size
    } else {
      group.push(segment)
      bytes += segment.size
    }
  }
  return groups
}

/** Well below the 32 bits that an index has: the last segment of a group has a span, too. */
const offsetSpanMax = 2n ** 30n

/** Writes and syncs what stays of neighbouring segments. */
async function writeGroup(
  group: Group,
  latest: LatestOffsets,
  options: CompactorOptions,
): Promise<{ readonly horizonMs: number | null; readonly isChanged: boolean }> {
  const path = cleanedPath(options, group[0].baseOffset)
  options.disk.remove(path) // What a failed attempt left.
  const file = options.disk.open(path)
  try {
    const target = new CleanedFile(file)
    let horizonMs: number | null = null
    let isChanged = group.length > 1
    for (const segment of group) {
      for await (const { batch } of batchesOf(segment.file, options)) {
        const remainder = cleanBatch(batch, latest, options)
        if (remainder.kind === 'emptied') {
          isChanged ||= batch.header.recordsCount > 0
          target.cover(batch)
          continue
        }
        isChanged ||= remainder.batch !== batch
        target.write(remainder.batch)
        if (remainder.horizonMs !== null) {
          horizonMs = Math.min(horizonMs ?? remainder.horizonMs, remainder.horizonMs)
        }
      }
    }
    target.end()
    if (isChanged) await file.sync()
    return { horizonMs, isChanged }
  } finally {
    file.close()
  }
}

/** The file that takes what stays, with the gaps covered (M1). */
class CleanedFile {
  readonly #file: DiskFile
  /** Offsets whose records are gone, and that no batch covers yet. */
  #gone: { readonly first: bigint; readonly last: bigint } | undefined

  constructor(file: DiskFile) {
    this.#file = file
  }

  cover({ header: { baseOffset, lastOffset } }: RecordBatch): void {
    this.#gone = { first: this.#gone?.first ?? baseOffset, last: lastOffset }
  }

  write(batch: RecordBatch): void {
    this.end()
    this.#file.append([batch.bytes])
  }

  end(): void {
    if (this.#gone === undefined) return
    const { first: baseOffset, last: lastOffset } = this.#gone
    const batch = emptyBatch({ baseOffset, lastOffset, partitionLeaderEpoch: leaderEpoch })
    this.#file.append([batch.bytes])
    this.#gone = undefined
  }
}

/** The batches of a segment, with a rest after each `compactionTurnBytes` (M3). */
async function* batchesOf(
  file: DiskFile,
  { rest }: CompactorOptions,
): AsyncGenerator<CheckedBatch, void> {
  let restedAt = 0
  for (const step of checkedBatchesIn(file, { from: 0, to: file.size })) {
    if (step.kind === 'bad') {
      const reason = `at byte ${step.position} ${step.reason}`
      throw new Interruption({ kind: 'damaged', path: file.path, reason })
    }
    yield step
    if (step.position - restedAt < compactionTurnBytes) continue
    restedAt = step.position
    if (!(await rest())) throw new Interruption({ kind: 'givenUp' })
  }
  if (!(await rest())) throw new Interruption({ kind: 'givenUp' })
}
