// Closing the segment that grows, and beginning the next one.

import type { RecordBatch } from '@millrace/wire'
import { type Disk, type DiskFile, joinPath } from '../disk/disk.ts'
import type { LogConfig } from './log-config.ts'
import { snapshotSuffix, snapshotsNewestFirst } from './producer-recovery.ts'
import { encodeSnapshot } from './producer-snapshot.ts'
import type { ProducerState } from './producer-state.ts'
import { offsetFileName, Segment } from './segment.ts'

export interface RollPlace {
  readonly disk: Disk
  readonly directory: string
  readonly producers: ProducerState
}

/** Offsets in an index are relative to the segment's base, and 32 bits wide. */
const relativeOffsetMax = 2n ** 31n - 1n

/** Whether a batch has to go into a new segment, as Kafka decides it. */
export function mustRoll(next: {
  readonly segment: Segment
  /** With what is not written yet. */
  readonly sizeBytes: number
  readonly batch: RecordBatch
  /** The offset that the batch's first record gets. */
  readonly offset: bigint
  readonly config: LogConfig
}): boolean {
  const { segment, sizeBytes, batch, offset, config } = next
  if (sizeBytes === 0) return false
  if (sizeBytes + batch.bytes.length > config.segmentBytes) return true
  const { firstTimestampMs, baseOffset } = segment
  const { maxTimestamp, lastOffsetDelta } = batch.header
  const age = firstTimestampMs === undefined ? 0n : maxTimestamp - firstTimestampMs
  const relativeOffset = offset + BigInt(lastOffsetDelta) - baseOffset
  // What does not roll is not compacted, so the longest wait for that counts here, too.
  const segmentMs = Math.min(config.segmentMs, config.compaction?.maxLagMs ?? config.segmentMs)
  return age > BigInt(segmentMs) || relativeOffset > relativeOffsetMax
}

/**
 * Closes a segment that ends before `nextBase`. What it returns is to be synced, and the directory
 * too, before anything in the new segment counts as durable.
 * @throws DiskError; the segment then still grows, and rolling can be tried again
 */
export function rollSegment(
  place: RollPlace,
  segment: Segment,
  nextBase: bigint,
): { readonly next: Segment; readonly unsynced: readonly DiskFile[] } {
  segment.writeIndexes()
  writeSnapshot(place, nextBase)
  const next = new Segment(place.disk, place.directory, nextBase)
  next.clear()
  segment.unloadIndexes()
  return { next, unsynced: segment.files }
}

/** Snapshots that are kept: the last one, and one more in case it is damaged. */
const snapshotsKept = 2

/**
 * Writes what the producers did below an offset, and removes snapshots that are no longer needed.
 * It is not synced: a lost or damaged one only makes the next start slower.
 */
export function writeSnapshot(place: RollPlace, offset: bigint): void {
  const { disk, directory, producers } = place
  const path = joinPath(directory, offsetFileName(offset, snapshotSuffix))
  disk.remove(path)
  const file = disk.open(path)
  try {
    file.append([encodeSnapshot(producers.entries)])
  } finally {
    file.close()
  }
  for (const { name } of snapshotsNewestFirst(disk, directory).slice(snapshotsKept)) {
    disk.remove(joinPath(directory, name))
  }
}
