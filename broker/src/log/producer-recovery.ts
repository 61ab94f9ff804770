// Producer state after a start: the newest snapshot that is sound, and the batches after it.

import { type Disk, joinPath } from '../disk/disk.ts'
import { readWhole } from '../disk/whole-file.ts'
import { headersIn } from './batch-scan.ts'
import { decodeSnapshot } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import { offsetOfFileName, type Segment } from './segment.ts'

export const snapshotSuffix = '.snapshot'

interface Place {
  readonly disk: Disk
  readonly directory: string
  readonly now: () => number
}

interface Log {
  readonly segments: readonly Segment[]
  readonly logEndOffset: bigint
}

/**
 * Builds the state from files that were recovered. Snapshots from beyond the log's end are removed:
 * the log may grow past them, and they would then lie. The caller syncs the directory.
 */
export function recoverProducers(
  place: Place,
  log: Log,
): { readonly producers: ProducerState; readonly removedSnapshots: boolean } {
  const { disk, directory, now } = place
  const producers = new ProducerState()
  let removedSnapshots = false
  let from = 0n
  for (const { name, offset } of snapshotsNewestFirst(disk, directory)) {
    if (offset > log.logEndOffset) {
      disk.remove(joinPath(directory, name))
      removedSnapshots = true
      continue
    }
    const entries = decodeSnapshot(readWhole(disk, directory, name) ?? new Uint8Array(0), now())
    if (entries === undefined) continue
    producers.restore(entries)
    from = offset
    break
  }
  replayBatches(producers, { segments: log.segments, from, nowMs: now() })
  return { producers, removedSnapshots }
}

export function snapshotsNewestFirst(
  disk: Disk,
  directory: string,
): readonly { readonly name: string; readonly offset: bigint }[] {
  const snapshots = []
  for (const name of disk.list(directory) ?? []) {
    const offset = offsetOfFileName(name, snapshotSuffix)
    if (offset !== undefined) snapshots.push({ name, offset })
  }
  return snapshots.reverse()
}

function replayBatches(
  producers: ProducerState,
  log: { readonly segments: readonly Segment[]; readonly from: bigint; readonly nowMs: number },
): void {
  for (const [index, segment] of log.segments.entries()) {
    const next = log.segments[index + 1]
    if (next !== undefined && next.baseOffset <= log.from) continue
    const from = segment.offsetIndex.positionBefore(log.from)
    for (const step of headersIn(segment.file, { from, to: segment.size })) {
      if (step.kind === 'bad') break
      if (step.header.baseOffset >= log.from) producers.record(step.header, log.nowMs)
    }
  }
  producers.keepTurn()
}
