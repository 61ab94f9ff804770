/**
 * What a reader of committed records may see (KIP-98). Kafka sends every batch up to the last
 * stable offset together with the list of aborted transactions; leaving the aborted ones out is
 * the reader's work. The client keeps one aborted range a producer, and reads into control
 * batches that compaction has emptied: so it is done here.
 */

export interface Batch {
  readonly firstOffset: bigint
  readonly lastOffsetDelta: number
  readonly attributes: number
  readonly producerId: bigint
  readonly records: readonly { readonly key: Buffer | null }[]
}

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

const transactional = 0x10
const control = 0x20
/** Of a control record's key: int16 version, int16 type, where 0 is ABORT. */
const abortType = 0

/** The batches whose records are events: neither control batches nor aborted ones. */
export function visibleBatches<B extends Batch>(
  batches: readonly B[],
  abortedTransactions: readonly AbortedTransaction[],
): readonly B[] {
  const pending = [...abortedTransactions].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  const aborting = new Set<bigint>()
  return batches.filter((batch) => {
    const lastOffset = batch.firstOffset + BigInt(batch.lastOffsetDelta)
    for (let next = pending[0]; next !== undefined; next = pending[0]) {
      if (next.firstOffset > lastOffset) break
      aborting.add(next.producerId)
      pending.shift()
    }
    if ((batch.attributes & control) !== 0) {
      if (isAbort(batch)) aborting.delete(batch.producerId)
      return false
    }
    return (batch.attributes & transactional) === 0 || !aborting.has(batch.producerId)
  })
}

function isAbort({ records }: Batch): boolean {
  const key = records[0]?.key ?? null
  return key !== null && key.length >= 4 && key.readInt16BE(2) === abortType
}
