import {
  BatchHeader,
  batchChecksumStart,
  batchHeaderBytes,
  batchMagic,
  batchOverheadBytes,
  logAppendTimeBit,
} from './batch-header.ts'
import { crc32c } from './crc32c.ts'

/** A whole batch of magic 2, where it lies: changing its header changes the bytes it came from. */
export interface RecordBatch {
  readonly header: BatchHeader
  /** The whole batch, header included, and nothing after it. */
  readonly bytes: Uint8Array
}

/** Why bytes are no sound batch. */
export type BadBatch =
  /** The bytes end before the batch does: `missing` more would be needed to know or to have it. */
  | { readonly kind: 'torn'; readonly missing: number }
  /** Another format: 0 and 1 are Kafka's old message sets, anything else is no batch at all. */
  | { readonly kind: 'bad-magic'; readonly magic: number }
  /** The length is smaller than a header. */
  | { readonly kind: 'bad-length'; readonly batchLength: number }
  /** The bytes are not those that the producer made. */
  | { readonly kind: 'bad-crc'; readonly stored: number; readonly computed: number }

export type BatchOutcome = { readonly kind: 'batch'; readonly batch: RecordBatch } | BadBatch
export type HeaderOutcome = { readonly kind: 'header'; readonly header: BatchHeader } | BadBatch

/** The header at `position`, of a batch whose rest may be elsewhere. No checksum is looked at. */
export function readBatchHeader(bytes: Uint8Array, position = 0): HeaderOutcome {
  const available = bytes.byteLength - position
  if (available < batchHeaderBytes) return { kind: 'torn', missing: batchHeaderBytes - available }
  const header = new BatchHeader(bytes, position)
  if (header.magic !== batchMagic) return { kind: 'bad-magic', magic: header.magic }
  const { batchLength } = header
  if (batchLength < batchHeaderBytes - batchOverheadBytes) {
    return { kind: 'bad-length', batchLength }
  }
  return { kind: 'header', header }
}

/** The batch at `position`. The checksum is not looked at: `checkCrc` does. */
export function readBatch(bytes: Uint8Array, position = 0): BatchOutcome {
  const outcome = readBatchHeader(bytes, position)
  if (outcome.kind !== 'header') return outcome
  const { header } = outcome
  const end = position + header.byteLength
  if (end > bytes.byteLength) return { kind: 'torn', missing: end - bytes.byteLength }
  return { kind: 'batch', batch: { header, bytes: bytes.subarray(position, end) } }
}

/** One batch after the other; the first bad one, if any, is the last outcome. */
export function* batchesIn(bytes: Uint8Array): Generator<BatchOutcome, void, undefined> {
  let position = 0
  while (position < bytes.byteLength) {
    const outcome = readBatch(bytes, position)
    yield outcome
    if (outcome.kind !== 'batch') return
    position += outcome.batch.bytes.byteLength
  }
}

/** `null` when the checksum is right. */
export function checkCrc(batch: RecordBatch): Extract<BadBatch, { kind: 'bad-crc' }> | null {
  const stored = batch.header.crc
  const computed = crcOf(batch)
  return stored === computed ? null : { kind: 'bad-crc', stored, computed }
}

/** Gives a batch its place in the log; the checksum stays right, because neither is under it. */
export function placeBatch(
  batch: RecordBatch,
  place: { readonly baseOffset: bigint; readonly leaderEpoch: number },
): void {
  batch.header.baseOffset = place.baseOffset
  batch.header.partitionLeaderEpoch = place.leaderEpoch
}

/** Makes the broker's time that of every record, and computes the checksum anew. */
export function stampLogAppendTime(batch: RecordBatch, timestamp: bigint): void {
  batch.header.attributes |= logAppendTimeBit
  batch.header.maxTimestamp = timestamp
  sealBatch(batch)
}

/** Computes the checksum, after anything under it was changed. */
export function sealBatch(batch: RecordBatch): void {
  batch.header.crc = crcOf(batch)
}

function crcOf({ bytes }: RecordBatch): number {
  return crc32c(bytes.subarray(batchChecksumStart))
}
