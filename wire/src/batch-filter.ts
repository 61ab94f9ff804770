// What compaction leaves of a batch: the batch with fewer records, or a header without any.

import { writeRecord } from './batch-encoding.ts'
import {
  BatchHeader,
  batchHeaderBytes,
  batchMagic,
  batchOverheadBytes,
  deleteHorizonBit,
} from './batch-header.ts'
import { compressionOf, deflate } from './compression.ts'
import { type RecordBatch, sealBatch } from './record-batch.ts'
import type { KafkaRecord } from './records.ts'
import { joined, Writer } from './writer.ts'

export interface FilterOptions {
  /**
   * From when on the tombstones of the batch may go, in milliseconds since 1970 (KIP-534). It
   * stands in the place of the base timestamp; the records keep theirs. Default: as it was.
   */
  readonly deleteHorizonMs?: bigint
}

/**
 * The batch with only these of its records, which must be its own, in order, and at least one.
 * It covers the same offsets as before, and its producer, codec and kind of timestamp stay.
 */
export function filteredBatch(
  batch: RecordBatch,
  records: readonly KafkaRecord[],
  { deleteHorizonMs }: FilterOptions = {},
): RecordBatch {
  const source = batch.header
  const baseTimestamp = deleteHorizonMs ?? source.baseTimestamp
  const writer = new Writer()
  let maxTimestamp = -1n
  for (const record of records) {
    writeRecord(writer, record, {
      offsetDelta: Number(record.offset - source.baseOffset),
      timestampDelta: record.timestamp - baseTimestamp,
    })
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp
  }
  const body = deflate(compressionOf(source.compressionType), joined(writer.encoded()))
  const bytes = Buffer.alloc(batchHeaderBytes + body.byteLength)
  bytes.set(batch.bytes.subarray(0, batchHeaderBytes))
  bytes.set(body, batchHeaderBytes)
  const header = new BatchHeader(bytes)
  header.batchLength = bytes.byteLength - batchOverheadBytes
  if (deleteHorizonMs !== undefined) header.attributes |= deleteHorizonBit
  header.baseTimestamp = baseTimestamp
  header.maxTimestamp = maxTimestamp
  header.recordsCount = records.length
  const filtered = { header, bytes }
  sealBatch(filtered)
  return filtered
}

/** A batch without records that covers offsets whose records are gone, both ends included. */
export function emptyBatch(covered: {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly partitionLeaderEpoch: number
}): RecordBatch {
  const bytes = Buffer.alloc(batchHeaderBytes)
  const header = new BatchHeader(bytes)
  header.baseOffset = covered.baseOffset
  header.batchLength = bytes.byteLength - batchOverheadBytes
  header.partitionLeaderEpoch = covered.partitionLeaderEpoch
  header.magic = batchMagic
  header.lastOffsetDelta = Number(covered.lastOffset - covered.baseOffset)
  header.baseTimestamp = -1n
  header.maxTimestamp = -1n
  header.producerId = -1n
  header.producerEpoch = -1
  header.baseSequence = -1
  const batch = { header, bytes }
  sealBatch(batch)
  return batch
}
