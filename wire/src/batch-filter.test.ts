import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBatch } from './batch-encoding.ts'
import { emptyBatch, filteredBatch } from './batch-filter.ts'
import { type Compression, compressionNames } from './compression.ts'
import { checkCrc, readBatch } from './record-batch.ts'
import { recordsIn } from './records.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

const batchOf = (compression: Compression) =>
  encodeBatch(
    ['a', 'b', 'c', 'd'].map((key, index) => ({
      timestamp: 1_000n + BigInt(index),
      key: bytes(key),
      value: index === 2 ? null : bytes(`${key}${index}`),
      headers: [{ key: 'id', value: bytes(String(index)) }],
    })),
    { baseOffset: 70n, compression, producerId: 9n, producerEpoch: 1, baseSequence: 5 },
  )

for (const compression of compressionNames) {
  test(`a batch (${compression}) with fewer records covers its offsets, and the others are as they were`, () => {
    const batch = batchOf(compression)
    const kept = [...recordsIn(batch)].filter((_, index) => index === 1 || index === 2)
    const filtered = filteredBatch(batch, kept)
    assert.deepEqual([...recordsIn(filtered)], kept)
    assert.equal(checkCrc(filtered), null)
    const { header } = filtered
    assert.deepEqual([header.baseOffset, header.lastOffset], [70n, 73n])
    assert.deepEqual([header.recordsCount, header.maxTimestamp], [2, 1_002n])
    assert.deepEqual([header.producerId, header.baseSequence, header.lastSequence], [9n, 5, 8])
    assert.equal(header.compressionType, batch.header.compressionType)
  })
}

test('a batch with a delete horizon says it, and its records keep their times', () => {
  const batch = batchOf('none')
  const kept = [...recordsIn(batch)].slice(2)
  const filtered = filteredBatch(batch, kept, { deleteHorizonMs: 9_999n })
  assert.equal(filtered.header.hasDeleteHorizon, true)
  assert.equal(filtered.header.baseTimestamp, 9_999n)
  assert.deepEqual([...recordsIn(filtered)], kept)
  assert.deepEqual([...recordsIn(filteredBatch(filtered, kept.slice(1)))], kept.slice(1))
})

test('a batch without records covers what is gone, and is sound', () => {
  const batch = emptyBatch({ baseOffset: 5n, lastOffset: 1_000n, partitionLeaderEpoch: 3 })
  const outcome = readBatch(batch.bytes)
  assert.ok(outcome.kind === 'batch')
  assert.equal(checkCrc(outcome.batch), null)
  assert.deepEqual([...recordsIn(outcome.batch)], [])
  assert.deepEqual([batch.header.baseOffset, batch.header.lastOffset], [5n, 1_000n])
})
