// What a partition remembers of its idempotent producers (KIP-98), to take each batch once.
//
// I1. The last five batches of a producer are kept. One of them sent again is a duplicate, and is
//     answered with the place of the original.
// I2. Any other batch must follow the last one without a gap; after 2^31 - 1 comes 0. A producer
//     with a new epoch begins at 0. One that is not known may begin anywhere, because its batches
//     may have been deleted.
// I3. Entries are replaced and never changed, so that what a turn did can be taken back.

import type { BatchHeader } from '@millrace/wire'
import { producerBatchesMax, producerExpiryMs } from '../limits.ts'
import { type Rejected, reject } from './validation.ts'

/** One batch of a producer, as it lies in the log. */
export interface ProducerBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  /** The greatest timestamp in the batch. */
  readonly timestampMs: bigint
}

export interface ProducerEntry {
  readonly producerId: bigint
  readonly epoch: number
  /** Oldest first; never empty. */
  readonly batches: readonly ProducerBatch[]
  /** When it last wrote, by the broker's clock. */
  readonly seenAtMs: number
}

export type SequenceVerdict =
  | { readonly kind: 'next' }
  | { readonly kind: 'duplicate'; readonly original: ProducerBatch }
  | Rejected

/** After the greatest int32 the sequence numbers begin again at 0. */
const SEQUENCES = 2 ** 31

export class ProducerState {
  readonly #entries = new Map<bigint, ProducerEntry>()
  /** What the entries were that this turn replaced; `undefined` where there was none. */
  readonly #replaced = new Map<bigint, ProducerEntry | undefined>() // I3

  /** Whether a batch of an idempotent producer is the next one, a duplicate, or out of order. */
  check(header: BatchHeader): SequenceVerdict {
    const entry = this.#entries.get(header.producerId)
    if (entry === undefined) return { kind: 'next' } // I2
    const { producerEpoch, baseSequence, lastSequence } = header
    if (producerEpoch < entry.epoch) return fenced(header, entry)
    if (producerEpoch > entry.epoch) {
      return baseSequence === 0 ? { kind: 'next' } : outOfOrder(header, 0)
    }
    const original = entry.batches.find(
      (batch) => batch.baseSequence === baseSequence && batch.lastSequence === lastSequence,
    )
    if (original !== undefined) return { kind: 'duplicate', original } // I1
    const last = entry.batches.at(-1)
    const expected = last === undefined ? 0 : (last.lastSequence + 1) % SEQUENCES
    return baseSequence === expected ? { kind: 'next' } : outOfOrder(header, expected)
  }

  /** Remembers a batch that has its place in the log, if an idempotent producer sent it. */
  record(header: BatchHeader, seenAtMs: number): void {
    const { producerId, producerEpoch: epoch } = header
    if (producerId < 0n) return
    const entry = this.#entries.get(producerId)
    if (!this.#replaced.has(producerId)) this.#replaced.set(producerId, entry)
    const kept = entry?.epoch === epoch ? entry.batches.slice(1 - producerBatchesMax) : []
    const batches = [...kept, batchOf(header)]
    this.#entries.set(producerId, { producerId, epoch, batches, seenAtMs })
  }

  /** Makes final what was recorded since the last call. */
  keepTurn(): void {
    this.#replaced.clear()
  }

  /** Forgets what was recorded since `keepTurn`: it was not written. */
  undoTurn(): void {
    for (const [producerId, entry] of this.#replaced) {
      if (entry === undefined) this.#entries.delete(producerId)
      else this.#entries.set(producerId, entry)
    }
    this.#replaced.clear()
  }

  /** Forgets producers that have not written for a day. */
  expire(nowMs: number): void {
    for (const entry of this.#entries.values()) {
      if (nowMs - entry.seenAtMs >= producerExpiryMs) this.#entries.delete(entry.producerId)
    }
  }

  /** Puts entries in place, as read from a snapshot. */
  restore(entries: Iterable<ProducerEntry>): void {
    for (const entry of entries) this.#entries.set(entry.producerId, entry)
  }

  get entries(): Iterable<ProducerEntry> {
    return this.#entries.values()
  }
}

function batchOf(header: BatchHeader): ProducerBatch {
  return {
    baseSequence: header.baseSequence,
    lastSequence: header.lastSequence,
    baseOffset: header.baseOffset,
    lastOffset: header.lastOffset,
    timestampMs: header.maxTimestamp,
  }
}

function fenced(header: BatchHeader, entry: ProducerEntry): Rejected {
  return reject(
    'invalidProducerEpoch',
    `producer ${header.producerId} wrote with epoch ${header.producerEpoch}, and a newer one ` +
      `has epoch ${entry.epoch}`,
  )
}

function outOfOrder(header: BatchHeader, expected: number): Rejected {
  return reject(
    'outOfOrderSequenceNumber',
    `producer ${header.producerId} sent sequence ${header.baseSequence}, expected ${expected}`,
  )
}
