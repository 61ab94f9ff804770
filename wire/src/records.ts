import { type BatchHeader, batchHeaderBytes } from './batch-header.ts'
import { compressionOf, type InflateOptions, inflate } from './compression.ts'
import { Reader } from './reader.ts'
import type { RecordBatch } from './record-batch.ts'
import { under, WireError } from './wire-error.ts'

/** One record, as a consumer sees it. Bytes are views: whoever keeps them keeps the batch. */
export interface KafkaRecord {
  readonly offset: bigint
  /** Milliseconds since 1970: the producer's, or the broker's where the topic stamps it. */
  readonly timestamp: bigint
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

/** No record is shorter: length, attributes, two deltas, two lengths and a count, a byte each. */
const recordBytesMin = 7

/** A header's two lengths. */
const recordHeaderBytesMin = 2

/**
 * The records of a batch, one at a time, so that a search may stop early; a compressed batch is
 * inflated whole. Throws a `WireError` at the record that is damaged. Control records come too:
 * `header.isControl` tells. The checksum is not looked at.
 */
export function* recordsIn(
  batch: RecordBatch,
  options: InflateOptions = {},
): Generator<KafkaRecord, void, undefined> {
  const { header } = batch
  const compression = compressionOf(header.compressionType)
  const reader = new Reader(inflate(compression, batch.bytes.subarray(batchHeaderBytes), options))
  const base = baseOf(header)
  const count = header.recordsCount
  if (count < 0 || count * recordBytesMin > reader.remaining) {
    const text = `the batch says ${count} records, its ${reader.remaining} bytes can not hold them`
    throw new WireError('malformed', text)
  }
  for (let index = 0; index < count; index++) yield readRecord(reader, base, index)
  if (reader.remaining === 0) return
  throw new WireError('malformed', `${reader.remaining} bytes follow the last record of the batch`)
}

/** What the deltas of each record are added to. */
interface Base {
  readonly offset: bigint
  readonly timestamp: bigint
  /** With `logAppendTime` this is the time of every record, whatever their deltas say. */
  readonly appendedAt: bigint | null
}

function baseOf(header: BatchHeader): Base {
  return {
    offset: header.baseOffset,
    timestamp: header.baseTimestamp,
    appendedAt: header.timestampType === 'logAppendTime' ? header.maxTimestamp : null,
  }
}

function readRecord(reader: Reader, base: Base, index: number): KafkaRecord {
  try {
    const length = reader.varint()
    const end = reader.position + length
    // The attributes of a record: Kafka has not given them a meaning.
    reader.skip(1)
    const timestampDelta = reader.varlong()
    const offsetDelta = reader.varint()
    const record = {
      offset: base.offset + BigInt(offsetDelta),
      timestamp: base.appendedAt ?? base.timestamp + timestampDelta,
      key: readNullable(reader),
      value: readNullable(reader),
      headers: readHeaders(reader),
    }
    if (reader.position === end) return record
    const text = `its length is ${length}, its content takes ${length + reader.position - end}`
    throw new WireError('malformed', text)
  } catch (cause) {
    throw under(`record ${index} of the batch at offset ${base.offset}`, cause)
  }
}

function readHeaders(reader: Reader): readonly RecordHeader[] {
  const count = reader.varint()
  if (count < 0 || count * recordHeaderBytesMin > reader.remaining) {
    throw new WireError('malformed', `${count} headers in ${reader.remaining} bytes`)
  }
  const headers: RecordHeader[] = []
  for (let index = 0; index < count; index++) {
    const key = Buffer.from(reader.take(reader.varint())).toString('utf8')
    headers.push({ key, value: readNullable(reader) })
  }
  return headers
}

function readNullable(reader: Reader): Uint8Array | null {
  const length = reader.varint()
  return length === -1 ? null : reader.take(length)
}
