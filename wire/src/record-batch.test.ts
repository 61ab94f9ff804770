import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBatch } from './batch-encoding.ts'
import { batchHeaderBytes } from './batch-header.ts'
import {
  type BatchOutcome,
  batchesIn,
  checkCrc,
  placeBatch,
  readBatch,
  readBatchHeader,
  sealBatch,
  stampLogAppendTime,
} from './record-batch.ts'
import { recordsIn } from './records.ts'

const value = Buffer.from('value')
const batch = encodeBatch([
  { timestamp: 1_000n, value },
  { timestamp: 3_000n, value },
  { timestamp: 2_000n, value },
])

function copy(): Buffer {
  return Buffer.from(batch.bytes)
}

function only(outcome: BatchOutcome): Extract<BatchOutcome, { kind: 'batch' }>['batch'] {
  ok(outcome.kind === 'batch', outcome.kind)
  return outcome.batch
}

test('a batch says what it holds without its records being read', () => {
  const { header } = only(readBatch(copy()))
  strictEqual(header.byteLength, batch.bytes.byteLength)
  strictEqual(header.recordsCount, 3)
  strictEqual(header.lastOffsetDelta, 2)
  strictEqual(header.baseTimestamp, 1_000n)
  strictEqual(header.maxTimestamp, 3_000n)
  strictEqual(header.producerId, -1n)
  strictEqual(header.timestampType, 'createTime')
  strictEqual(header.isTransactional, false)
  strictEqual(header.isControl, false)
})

test('a batch can be given its place in the log without a new checksum', () => {
  const placed = only(readBatch(copy()))
  placeBatch(placed, { baseOffset: 2n ** 40n, leaderEpoch: 9 })
  strictEqual(checkCrc(placed), null)
  strictEqual(placed.header.lastOffset, 2n ** 40n + 2n)
  strictEqual(placed.header.partitionLeaderEpoch, 9)
  deepStrictEqual(
    [...recordsIn(placed)].map(({ offset }) => offset),
    [2n ** 40n, 2n ** 40n + 1n, 2n ** 40n + 2n],
  )
})

test('the append time becomes that of every record, under a new checksum', () => {
  const stamped = only(readBatch(copy()))
  stampLogAppendTime(stamped, 77_000n)
  strictEqual(checkCrc(stamped), null)
  strictEqual(stamped.header.timestampType, 'logAppendTime')
  deepStrictEqual(
    [...recordsIn(stamped)].map(({ timestamp }) => timestamp),
    [77_000n, 77_000n, 77_000n],
  )
})

test('a bit that flips is seen anywhere but in the base offset and the leader epoch', () => {
  for (let byte = 0; byte < batch.bytes.byteLength; byte++) {
    const bytes = copy()
    bytes.writeUInt8(bytes.readUInt8(byte) ^ 0x10, byte)
    const outcome = readBatch(bytes)
    const sound = outcome.kind === 'batch' && checkCrc(outcome.batch) === null
    const isOffset = byte < 8
    const isLeaderEpoch = byte >= 12 && byte < 16
    strictEqual(sound, isOffset || isLeaderEpoch, `byte ${byte}`)
  }
})

test('a batch that is cut anywhere is torn, and says how many bytes are missing', () => {
  for (let length = 0; length < batch.bytes.byteLength; length++) {
    const outcome = readBatch(copy().subarray(0, length))
    const known = length < batchHeaderBytes ? batchHeaderBytes : batch.bytes.byteLength
    deepStrictEqual(outcome, { kind: 'torn', missing: known - length })
  }
})

test('a header can be read without the rest of its batch', () => {
  const outcome = readBatchHeader(copy().subarray(0, batchHeaderBytes))
  ok(outcome.kind === 'header')
  strictEqual(outcome.header.byteLength, batch.bytes.byteLength)
})

test('an old message set is told by its magic', () => {
  const bytes = copy()
  bytes.writeInt8(1, 16)
  deepStrictEqual(readBatch(bytes), { kind: 'bad-magic', magic: 1 })
})

test('a length that is smaller than a header is refused', () => {
  for (const batchLength of [48, 0, -1, -0x8000_0000]) {
    const bytes = copy()
    bytes.writeInt32BE(batchLength, 8)
    deepStrictEqual(readBatch(bytes), { kind: 'bad-length', batchLength })
  }
})

test('batches are walked one after the other, up to the first that is bad', () => {
  const torn = copy().subarray(0, 70)
  const outcomes = [...batchesIn(Buffer.concat([copy(), copy(), torn]))]
  deepStrictEqual(
    outcomes.map(({ kind }) => kind),
    ['batch', 'batch', 'torn'],
  )
  deepStrictEqual([...batchesIn(Buffer.alloc(0))], [])
  deepStrictEqual([...batchesIn(Buffer.alloc(100))], [{ kind: 'bad-magic', magic: 0 }])
})

test('the sequence after 2³¹ - 1 is 0', () => {
  const wrapped = only(readBatch(copy()))
  wrapped.header.baseSequence = 2 ** 31 - 2
  sealBatch(wrapped)
  strictEqual(wrapped.header.lastSequence, 0)
  wrapped.header.baseSequence = -1
  strictEqual(wrapped.header.lastSequence, -1)
})

test('the attributes of a transaction marker are those of Kafka', () => {
  const record = { timestamp: 0n, key: Buffer.alloc(4), value: Buffer.alloc(6) }
  const { header } = encodeBatch([record], { isControl: true, isTransactional: true })
  strictEqual(header.attributes, 0x30)
})
