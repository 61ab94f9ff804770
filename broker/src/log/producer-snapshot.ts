// Producer state in Kafka's `.snapshot` format, so that recovery need not read the whole log:
//
//   version:int16 = 1  crc:uint32 of what follows  count:int32
//   ( producerId:int64  epoch:int16  lastSequence:int32  lastOffset:int64  offsetDelta:int32
//     timestamp:int64  coordinatorEpoch:int32 = -1  currentTxnFirstOffset:int64 = -1 )*
//
// Kafka keeps one entry for a producer, its last batch. Here each of its batches has one, oldest
// first: who reads as Kafka does takes the last and has what Kafka would have written, and a
// restart does not shorten the window in which a duplicate is recognized.

import { crc32c } from '@millrace/wire'
import type { ProducerBatch, ProducerEntry } from './producer-state.ts'

const version = 1
const headerBytes = 10
const crcPosition = 2
const crcStart = 6
const entryBytes = 46
const SEQUENCES = 2 ** 31

export function encodeSnapshot(entries: Iterable<ProducerEntry>): Uint8Array {
  const flat = [...entries].flatMap((entry) => entry.batches.map((batch) => ({ entry, batch })))
  const bytes = Buffer.alloc(headerBytes + flat.length * entryBytes)
  bytes.writeInt16BE(version, 0)
  bytes.writeInt32BE(flat.length, crcStart)
  for (const [index, { entry, batch }] of flat.entries()) {
    const at = headerBytes + index * entryBytes
    bytes.writeBigInt64BE(entry.producerId, at)
    bytes.writeInt16BE(entry.epoch, at + 8)
    bytes.writeInt32BE(batch.lastSequence, at + 10)
    bytes.writeBigInt64BE(batch.lastOffset, at + 14)
    bytes.writeInt32BE(Number(batch.lastOffset - batch.baseOffset), at + 22)
    bytes.writeBigInt64BE(batch.timestampMs, at + 26)
    bytes.writeInt32BE(-1, at + 34)
    bytes.writeBigInt64BE(-1n, at + 38)
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(crcStart)), crcPosition)
  return bytes
}

/** The entries of a snapshot, seen at the time given; `undefined` when it is damaged or foreign. */
export function decodeSnapshot(
  content: Uint8Array,
  seenAtMs: number,
): readonly ProducerEntry[] | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  if (bytes.length < headerBytes || bytes.readInt16BE(0) !== version) return undefined
  const count = bytes.readInt32BE(crcStart)
  if (bytes.length !== headerBytes + count * entryBytes) return undefined
  if (crc32c(bytes.subarray(crcStart)) !== bytes.readUInt32BE(crcPosition)) return undefined
  const entries = new Map<bigint, ProducerEntry>()
  for (let at = headerBytes; at < bytes.length; at += entryBytes) {
    const producerId = bytes.readBigInt64BE(at)
    const before = entries.get(producerId)?.batches ?? []
    const batches = [...before, batchAt(bytes, at)]
    entries.set(producerId, { producerId, epoch: bytes.readInt16BE(at + 8), batches, seenAtMs })
  }
  return [...entries.values()]
}

function batchAt(bytes: Buffer, at: number): ProducerBatch {
  const lastSequence = bytes.readInt32BE(at + 10)
  const lastOffset = bytes.readBigInt64BE(at + 14)
  const offsetDelta = bytes.readInt32BE(at + 22)
  return {
    baseSequence: (lastSequence - offsetDelta + SEQUENCES) % SEQUENCES,
    lastSequence,
    baseOffset: lastOffset - BigInt(offsetDelta),
    lastOffset,
    timestampMs: bytes.readBigInt64BE(at + 26),
  }
}
