/** Bytes of a batch before its `batchLength` begins to count: base offset and the length itself. */
export const batchOverheadBytes = 12

/** Bytes of a batch before its first record. */
export const batchHeaderBytes = 61

/** The first byte under the checksum: attributes, and everything after them. */
export const batchChecksumStart = 21

/** The only format since Kafka 0.11 (KIP-98). */
export const batchMagic = 2

const at = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordsCount: 57,
} as const

const compressionBits = 0x07
export const logAppendTimeBit = 0x08
const transactionalBit = 0x10
const controlBit = 0x20
export const deleteHorizonBit = 0x40

/**
 * The 61 bytes before the records of a batch of magic 2, read and rewritten where they are.
 *
 * H1. Nothing is checked: `readBatch` and `readBatchHeader` hand out headers whose magic and length
 *     are sound. Any other field holds what its writer put there.
 * H2. Base offset, batch length, leader epoch, magic and the checksum itself are outside of the
 *     checksum, so that a broker may set offset and epoch and nothing else.
 */
export class BatchHeader {
  readonly #view: DataView

  /** The header begins at `position` of the bytes, which must hold 61 from there. */
  constructor(bytes: Uint8Array, position = 0) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + position, batchHeaderBytes)
  }

  get baseOffset(): bigint {
    return this.#view.getBigInt64(at.baseOffset)
  }

  set baseOffset(offset: bigint) {
    this.#view.setBigInt64(at.baseOffset, offset)
  }

  /** The bytes after this field. `byteLength` is that of the whole batch. */
  get batchLength(): number {
    return this.#view.getInt32(at.batchLength)
  }

  set batchLength(length: number) {
    this.#view.setInt32(at.batchLength, length)
  }

  get byteLength(): number {
    return batchOverheadBytes + this.batchLength
  }

  get partitionLeaderEpoch(): number {
    return this.#view.getInt32(at.partitionLeaderEpoch)
  }

  set partitionLeaderEpoch(epoch: number) {
    this.#view.setInt32(at.partitionLeaderEpoch, epoch)
  }

  get magic(): number {
    return this.#view.getInt8(at.magic)
  }

  set magic(magic: number) {
    this.#view.setInt8(at.magic, magic)
  }

  get crc(): number {
    return this.#view.getUint32(at.crc)
  }

  set crc(crc: number) {
    this.#view.setUint32(at.crc, crc)
  }

  get attributes(): number {
    return this.#view.getInt16(at.attributes)
  }

  set attributes(attributes: number) {
    this.#view.setInt16(at.attributes, attributes)
  }

  /** The number of Kafka's codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd; 5–7 are nobody's. */
  get compressionType(): number {
    return this.attributes & compressionBits
  }

  get timestampType(): TimestampType {
    return this.attributes & logAppendTimeBit ? 'logAppendTime' : 'createTime'
  }

  get isTransactional(): boolean {
    return (this.attributes & transactionalBit) !== 0
  }

  /** A control batch holds markers of transactions, which no consumer is shown. */
  get isControl(): boolean {
    return (this.attributes & controlBit) !== 0
  }

  /** Whether `baseTimestamp` is the time at which tombstones may go (KIP-534). */
  get hasDeleteHorizon(): boolean {
    return (this.attributes & deleteHorizonBit) !== 0
  }

  get lastOffsetDelta(): number {
    return this.#view.getInt32(at.lastOffsetDelta)
  }

  set lastOffsetDelta(delta: number) {
    this.#view.setInt32(at.lastOffsetDelta, delta)
  }

  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.lastOffsetDelta)
  }

  /** Milliseconds since 1970. */
  get baseTimestamp(): bigint {
    return this.#view.getBigInt64(at.baseTimestamp)
  }

  set baseTimestamp(timestamp: bigint) {
    this.#view.setBigInt64(at.baseTimestamp, timestamp)
  }

  /** Milliseconds since 1970; with `logAppendTime` that of every record. */
  get maxTimestamp(): bigint {
    return this.#view.getBigInt64(at.maxTimestamp)
  }

  set maxTimestamp(timestamp: bigint) {
    this.#view.setBigInt64(at.maxTimestamp, timestamp)
  }

  /** -1 when the producer is not idempotent; epoch and sequence then mean nothing. */
  get producerId(): bigint {
    return this.#view.getBigInt64(at.producerId)
  }

  set producerId(id: bigint) {
    this.#view.setBigInt64(at.producerId, id)
  }

  get producerEpoch(): number {
    return this.#view.getInt16(at.producerEpoch)
  }

  set producerEpoch(epoch: number) {
    this.#view.setInt16(at.producerEpoch, epoch)
  }

  get baseSequence(): number {
    return this.#view.getInt32(at.baseSequence)
  }

  set baseSequence(sequence: number) {
    this.#view.setInt32(at.baseSequence, sequence)
  }

  /** The sequence number of the last record: after 2³¹ - 1 comes 0. */
  get lastSequence(): number {
    return this.baseSequence === -1 ? -1 : (this.baseSequence + this.lastOffsetDelta) % 2 ** 31
  }

  /** How many records the producer says there are; compaction may have taken some, or all. */
  get recordsCount(): number {
    return this.#view.getInt32(at.recordsCount)
  }

  set recordsCount(count: number) {
    this.#view.setInt32(at.recordsCount, count)
  }
}

export type TimestampType = 'createTime' | 'logAppendTime'

/** The attributes of a batch as its 16 bits. */
export function batchAttributes(parts: {
  readonly compressionType: number
  readonly timestampType: TimestampType
  readonly isTransactional: boolean
  readonly isControl: boolean
}): number {
  return (
    parts.compressionType |
    (parts.timestampType === 'logAppendTime' ? logAppendTimeBit : 0) |
    (parts.isTransactional ? transactionalBit : 0) |
    (parts.isControl ? controlBit : 0)
  )
}
