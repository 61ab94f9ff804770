import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c, createRecordsBatch } from '@platformatic/kafka'
import { readStoredBatches, timestampMsOf } from './stored-batches.ts'

/** A batch of records with these values, as Kafka would store it from `baseOffset` on. */
function stored(baseOffset: number, values: readonly string[]): Buffer {
  const messages = values.map((value, index) => ({
    topic: 't',
    partition: 0,
    value: Buffer.from(value),
    timestamp: BigInt(1_000 + index),
  }))
  const bytes = Buffer.from(createRecordsBatch(messages).buffer)
  bytes.writeBigInt64BE(BigInt(baseOffset), 0)
  return bytes
}

function valuesIn(bytes: Buffer): readonly string[] {
  return readStoredBatches(bytes).batches.flatMap(({ records }) =>
    records.map(({ value }) => String(value)),
  )
}

test('batches are read one after the other, and what is cut off is left', () => {
  const bytes = Buffer.concat([stored(0, ['a', 'b']), stored(2, ['c']), stored(3, ['d'])])
  assert.deepEqual(valuesIn(bytes), ['a', 'b', 'c', 'd'])
  for (const cut of [1, 40, 60]) {
    const read = readStoredBatches(bytes.subarray(0, -cut))
    assert.deepEqual([read.batches.length, read.damage], [2, null])
  }
})

test('any byte that its checksum covers damages a batch, and what is before it is read', () => {
  const whole = stored(7, ['said', 'by somebody'])
  for (let at = 17; at < whole.length; at += 1) {
    const bytes = Buffer.from(whole)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at)
    const { batches, damage } = readStoredBatches(Buffer.concat([stored(6, ['before']), bytes]))
    assert.equal(batches.length, 1, `byte ${at}`)
    assert.equal(damage?.offset, 7n)
    assert.equal(damage.reason, 'its checksum is wrong')
  }
})

test('a batch whose checksum is right and whose records are not is damaged too', () => {
  const bytes = stored(7, ['a'])
  bytes.writeInt16BE(5, 21) // a compression that nobody knows
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  const { damage } = readStoredBatches(bytes)
  assert.match(damage?.reason ?? '', /compression/)
  assert.equal(damage?.nextOffset, 8n)
})

test('where a topic keeps the time of storing, all records of a batch have that time', () => {
  const bytes = stored(0, ['a', 'b'])
  const times = (bytes: Buffer) =>
    readStoredBatches(bytes).batches.flatMap((batch) =>
      batch.records.map(({ timestampDelta }) => timestampMsOf(batch, timestampDelta)),
    )
  assert.deepEqual(times(bytes), [1_000, 1_001])
  bytes.writeInt16BE(0x08, 21)
  bytes.writeBigInt64BE(9_000n, 35)
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  assert.deepEqual(times(bytes), [9_000, 9_000])
})
