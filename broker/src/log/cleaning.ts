// When a log of a compacted topic is cleaned, and how far it was.
//
// What was compacted is known in memory alone: after a start all closed segments count as dirty,
// and the first compaction goes over them once more.

import type { Disk } from '../disk/disk.ts'
import { type CompactionPolicy, type CompactionState, isCompactionDue } from './compaction.ts'
import { compactSegments } from './compactor.ts'
import type { LogConfig } from './log-config.ts'
import type { LogWriter } from './log-writer.ts'
import type { Segment } from './segment.ts'

/** Resolves when the clients have had their turn. */
export type Rest = () => Promise<unknown>

export interface CleaningOptions {
  readonly disk: Disk
  readonly directory: string
  readonly writer: LogWriter
  /** What is in force now. */
  readonly config: () => LogConfig
  readonly now: () => number
  readonly report: (line: string) => void
}

export class Cleaning {
  readonly #options: CleaningOptions
  /** Below it every key has one record. */
  #cleanEnd = 0n
  #nextHorizonMs: number | null = null
  /** A segment holds what is no batch; looking again would find the same. */
  #isDamaged = false
  #isStopped = false

  constructor(options: CleaningOptions) {
    this.#options = options
  }

  /** What runs ends at its next rest. */
  stop(): void {
    this.#isStopped = true
  }

  /** Compacts where it is time. Throws a DiskError; the log is then as it was, or takes no more. */
  async run(rest: Rest): Promise<void> {
    const { disk, directory, writer, config, now, report } = this.#options
    const { compaction: policy, segmentBytes, indexIntervalBytes } = config()
    if (policy === null || this.#isStopped || this.#isDamaged) return
    const nowMs = now()
    const segments = this.#closed(policy, nowMs)
    if (segments.length === 0) return
    if (!isCompactionDue(this.#stateOf(segments), policy, nowMs)) return
    const dirtyFrom = this.#cleanEnd
    // Work that does not come to its end may have put dirty segments and clean ones together.
    this.#cleanEnd = 0n
    const outcome = await compactSegments(segments, dirtyFrom, {
      disk,
      directory,
      nowMs,
      tombstoneKeptMs: policy.tombstoneKeptMs,
      segmentBytes,
      rest: async () => {
        await rest()
        return !this.#isStopped && writer.status.kind === 'open'
      },
      swap: (group) => writer.swapSegments(group, indexIntervalBytes),
    })
    switch (outcome.kind) {
      case 'compacted':
        this.#cleanEnd = outcome.cleanEnd
        this.#nextHorizonMs = outcome.nextHorizonMs
        return
      case 'damaged':
        this.#isDamaged = true
        report(`${disk.location(outcome.path)} is not compacted: ${outcome.reason}`)
        return
      case 'givenUp':
        return
      default:
        outcome satisfies never
    }
  }

  /** The segments that may be rewritten: closed, on the device, and old enough. */
  #closed({ minLagMs }: CompactionPolicy, nowMs: number): readonly Segment[] {
    const { writer } = this.#options
    const isReady = (segment: Segment) =>
      writer.isAtRest(segment) && (minLagMs === 0 || segment.newestAtMs <= nowMs - minLagMs)
    const end = writer.segments.findIndex((segment) => !isReady(segment))
    return writer.segments.slice(0, Math.max(0, end))
  }

  #stateOf(segments: readonly Segment[]): CompactionState {
    const dirty = segments.filter(({ baseOffset }) => baseOffset >= this.#cleanEnd)
    const sizeOf = (those: readonly Segment[]) => those.reduce((sum, { size }) => sum + size, 0)
    const oldest = dirty[0]?.firstTimestampMs
    return {
      cleanBytes: sizeOf(segments) - sizeOf(dirty),
      dirtyBytes: sizeOf(dirty),
      oldestDirtyMs: oldest === undefined ? null : Number(oldest),
      nextHorizonMs: this.#nextHorizonMs,
    }
  }
}
