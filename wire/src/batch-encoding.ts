import {
  BatchHeader,
  batchAttributes,
  batchHeaderBytes,
  batchMagic,
  batchOverheadBytes,
  type TimestampType,
} from './batch-header.ts'
import { type Compression, compressionNames, deflate } from './compression.ts'
import { type RecordBatch, sealBatch } from './record-batch.ts'
import { joined, Writer } from './writer.ts'

/** A record to be written; its offset follows from its place. */
export interface RecordInput {
  /** Milliseconds since 1970. */
  readonly timestamp: bigint
  readonly key?: Uint8Array | null
  readonly value?: Uint8Array | null
  readonly headers?: readonly { readonly key: string; readonly value: Uint8Array | null }[]
}

/** What a batch says of itself; what is left out is what a plain producer says. */
export interface BatchOptions {
  readonly baseOffset?: bigint
  readonly partitionLeaderEpoch?: number
  readonly compression?: Compression
  readonly timestampType?: TimestampType
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
}

/** Writes a batch of magic 2, with its checksum. Offsets count up from the base without gaps. */
export function encodeBatch(
  records: readonly RecordInput[],
  options: BatchOptions = {},
): RecordBatch {
  const [first] = records
  if (first === undefined) throw new RangeError('a batch holds at least one record')
  const { compression = 'none' } = options
  const body = deflate(compression, encodeRecords(records, first.timestamp))
  const bytes = Buffer.alloc(batchHeaderBytes + body.byteLength)
  bytes.set(body, batchHeaderBytes)
  const header = new BatchHeader(bytes)
  header.baseOffset = options.baseOffset ?? 0n
  header.batchLength = bytes.byteLength - batchOverheadBytes
  header.partitionLeaderEpoch = options.partitionLeaderEpoch ?? -1
  header.magic = batchMagic
  header.attributes = batchAttributes({
    compressionType: compressionNames.indexOf(compression),
    timestampType: options.timestampType ?? 'createTime',
    isTransactional: options.isTransactional ?? false,
    isControl: options.isControl ?? false,
  })
  header.lastOffsetDelta = records.length - 1
  header.baseTimestamp = first.timestamp
  header.maxTimestamp = latestOf(records, first.timestamp)
  header.producerId = options.producerId ?? -1n
  header.producerEpoch = options.producerEpoch ?? -1
  header.baseSequence = options.baseSequence ?? -1
  header.recordsCount = records.length
  const batch = { header, bytes }
  sealBatch(batch)
  return batch
}

function latestOf(records: readonly RecordInput[], first: bigint): bigint {
  let latest = first
  for (const { timestamp } of records) if (timestamp > latest) latest = timestamp
  return latest
}

function encodeRecords(records: readonly RecordInput[], baseTimestamp: bigint): Uint8Array {
  const writer = new Writer()
  for (const [index, record] of records.entries()) {
    writeRecord(writer, record, {
      offsetDelta: index,
      timestampDelta: record.timestamp - baseTimestamp,
    })
  }
  return joined(writer.encoded())
}

/** One record, with what it adds to the offset and the timestamp of its batch. */
export function writeRecord(
  writer: Writer,
  record: RecordInput,
  deltas: { readonly offsetDelta: number; readonly timestampDelta: bigint },
): void {
  const body = new Writer()
  body.int8(0)
  body.varlong(deltas.timestampDelta)
  body.varint(deltas.offsetDelta)
  writeNullable(body, record.key ?? null)
  writeNullable(body, record.value ?? null)
  const { headers = [] } = record
  body.varint(headers.length)
  for (const { key, value } of headers) {
    writeNullable(body, Buffer.from(key))
    writeNullable(body, value)
  }
  writer.varint(body.byteLength)
  writer.append(body.encoded())
}

function writeNullable(writer: Writer, value: Uint8Array | null): void {
  if (value === null) {
    writer.varint(-1)
    return
  }
  writer.varint(value.byteLength)
  writer.raw(value)
}
