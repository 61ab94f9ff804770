// What compaction keeps. Decides only; the compactor reads and writes.
//
// K1. The last record of a key is kept, unless it is a tombstone whose time is over. Of the records
//     before it that the cleaner looked at none is kept.
// K2. A tombstone is kept for `delete.retention.ms` after the first compaction that met it, so that
//     whoever reads from the start within that time sees it (KIP-534).
// K3. What cannot be read as records is kept as it is.

import {
  filteredBatch,
  type KafkaRecord,
  type RecordBatch,
  recordsIn,
  WireError,
} from '@millrace/wire'

/** `cleanup.policy` with `compact`, by Kafka's names. */
export interface CompactionPolicy {
  /** `min.compaction.lag.ms`: what is younger stays as it is. */
  readonly minLagMs: number
  /** `max.compaction.lag.ms`: what is older is compacted, however little it is. */
  readonly maxLagMs: number
  /** `min.cleanable.dirty.ratio`: the share of bytes not compacted yet from which on it pays. */
  readonly dirtyRatioMin: number
  /** `delete.retention.ms`: how long a tombstone stays. */
  readonly tombstoneKeptMs: number
}

/** What is known of a log's closed segments. */
export interface CompactionState {
  /** Bytes that were compacted before, and those that were not. */
  readonly cleanBytes: number
  readonly dirtyBytes: number
  /** When the oldest record that was not compacted is from; null where there is none. */
  readonly oldestDirtyMs: number | null
  /** When the first tombstone among the compacted may go; null where there is none. */
  readonly nextHorizonMs: number | null
}

/** Whether it is time. */
export function isCompactionDue(
  state: CompactionState,
  policy: CompactionPolicy,
  nowMs: number,
): boolean {
  const { cleanBytes, dirtyBytes, oldestDirtyMs, nextHorizonMs } = state
  if (nextHorizonMs !== null && nextHorizonMs <= nowMs) return true
  if (dirtyBytes === 0) return false
  if (oldestDirtyMs !== null && nowMs - oldestDirtyMs > policy.maxLagMs) return true
  return dirtyBytes / (cleanBytes + dirtyBytes) >= policy.dirtyRatioMin
}

/** The last offset of each key, in the part of a log that was looked at. */
export class LatestOffsets {
  readonly #offsets = new Map<string, bigint>()

  /** Keys. */
  get size(): number {
    return this.#offsets.size
  }

  /** Takes note of the records of a batch; those of one that cannot be read are kept anyway. */
  note(batch: RecordBatch): void {
    for (const { key, offset } of readable(batch) ?? []) {
      if (key !== null) this.#offsets.set(nameOf(key), offset)
    }
  }

  isSuperseded({ key, offset }: KafkaRecord): boolean {
    // As in Kafka: a record from before the topic was compacted, without a key, is nobody's last.
    if (key === null) return true
    return (this.#offsets.get(nameOf(key)) ?? offset) > offset
  }
}

/** What is left of one batch. */
export type Remainder =
  /** `horizonMs`: when its tombstones may go; null where it has none. */
  | { readonly kind: 'kept'; readonly batch: RecordBatch; readonly horizonMs: number | null }
  | { readonly kind: 'emptied' }

export interface CleaningTimes {
  readonly nowMs: number
  readonly tombstoneKeptMs: number
}

/** K1, K2, K3 for one batch. A batch of which everything stays is the same object. */
export function cleanBatch(
  batch: RecordBatch,
  latest: LatestOffsets,
  { nowMs, tombstoneKeptMs }: CleaningTimes,
): Remainder {
  const records = readable(batch)
  if (records === undefined) return { kind: 'kept', batch, horizonMs: null }
  const { header } = batch
  const known = header.hasDeleteHorizon ? Number(header.baseTimestamp) : null
  const tombstonesGo = known !== null && known <= nowMs
  const kept = records.filter(
    (record) => !latest.isSuperseded(record) && !(tombstonesGo && record.value === null),
  )
  if (kept.length === 0) return { kind: 'emptied' }
  const hasTombstone = kept.some(({ value }) => value === null)
  const horizonMs = hasTombstone ? (known ?? nowMs + tombstoneKeptMs) : null
  const isNew = hasTombstone && known === null
  if (kept.length === records.length && !isNew) return { kind: 'kept', batch, horizonMs }
  const options = isNew ? { deleteHorizonMs: BigInt(nowMs + tombstoneKeptMs) } : {}
  return { kind: 'kept', batch: filteredBatch(batch, kept, options), horizonMs }
}

function readable(batch: RecordBatch): readonly KafkaRecord[] | undefined {
  try {
    return [...recordsIn(batch)]
  } catch (error) {
    if (error instanceof WireError) return undefined
    throw error
  }
}

/** Keys are any bytes; as Latin-1 each byte is a character, and none is lost. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
