import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka'

export type StoredBatch = ReturnType<typeof readRecordsBatch>

/** The batches of one partition up to the first that cannot be read, if there is one. */
export interface StoredBatches {
  readonly batches: readonly StoredBatch[]
  readonly damage: Damage | null
}

export interface Damage {
  /** The first offset of the batch: where nothing more can be read. */
  readonly offset: bigint
  /** The offset after it, by its header, which may be damaged too. */
  readonly nextOffset: bigint
  readonly reason: string
}

/** Where the fields of a batch lie (KIP-98): they are looked at before it is decoded. */
const lengthAt = 8
const magicAt = 16
const crcAt = 17
const attributesAt = 21
const lastOffsetDeltaAt = 23
/** What stands before the bytes that the length counts. */
const headBytes = 12
const headerBytesMin = 61
const magicKnown = 2

/**
 * Reads whole batches, each after its checksum: one that was damaged on a disk or on the way is
 * not given to a handler as if it were what somebody said. What is cut off at the end is left
 * for the next fetch.
 */
export function readStoredBatches(bytes: Buffer): StoredBatches {
  const batches: StoredBatch[] = []
  let at = 0
  while (bytes.length - at >= headerBytesMin) {
    const end = at + headBytes + bytes.readInt32BE(at + lengthAt)
    if (end > bytes.length) break
    const batch = bytes.subarray(at, end)
    const read = readStoredBatch(batch)
    if ('reason' in read) return { batches, damage: read }
    batches.push(read)
    at = end
  }
  return { batches, damage: null }
}

function readStoredBatch(bytes: Buffer): StoredBatch | Damage {
  const damaged = (reason: string): Damage => {
    const offset = bytes.readBigInt64BE(0)
    const nextOffset = offset + BigInt(bytes.readInt32BE(lastOffsetDeltaAt)) + 1n
    return { offset, nextOffset, reason }
  }
  const magic = bytes.readInt8(magicAt)
  if (magic !== magicKnown) return damaged(`it is of format ${magic}, and not ${magicKnown}`)
  if (crc32c(bytes.subarray(attributesAt)) !== bytes.readUInt32BE(crcAt)) {
    return damaged('its checksum is wrong')
  }
  try {
    return readRecordsBatch(Reader.from(bytes))
  } catch (error) {
    return damaged(error instanceof Error ? error.message : String(error))
  }
}

const logAppendTime = 0x08

/** When a record was said, or, where the topic keeps that instead, when Kafka stored it. */
export function timestampMsOf(batch: StoredBatch, timestampDelta: bigint): number {
  const isStored = (batch.attributes & logAppendTime) !== 0
  return Number(isStored ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta)
}
