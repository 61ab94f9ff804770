import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { encodeBatch } from './batch-encoding.ts'
import { batchHeaderBytes } from './batch-header.ts'
import { compressionNames } from './compression.ts'
import { checkCrc, type RecordBatch, readBatch } from './record-batch.ts'
import { recordsIn } from './records.ts'
import { WireError } from './wire-error.ts'

const bytes = fc.uint8Array({ maxLength: 30 }).map((array) => Buffer.from(array))
const nullable = fc.option(bytes, { nil: null })
const record = fc.record({
  timestamp: fc.bigInt(0n, 2n ** 50n),
  key: nullable,
  value: nullable,
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 9 }), value: nullable }), {
    maxLength: 3,
  }),
})
const batches = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 20 }),
  compression: fc.constantFrom(...compressionNames),
  baseOffset: fc.bigInt(0n, 2n ** 60n),
})

function reread(batch: RecordBatch): RecordBatch {
  const outcome = readBatch(batch.bytes)
  ok(outcome.kind === 'batch')
  return outcome.batch
}

test('records come back from a batch, whatever the compression', () => {
  fc.assert(
    fc.property(batches, ({ records, compression, baseOffset }) => {
      const batch = reread(encodeBatch(records, { compression, baseOffset }))
      strictEqual(checkCrc(batch), null)
      deepStrictEqual(
        [...recordsIn(batch)],
        records.map((given, index) => ({
          offset: baseOffset + BigInt(index),
          timestamp: given.timestamp,
          key: given.key,
          value: given.value,
          headers: given.headers.map(({ key, value }) => ({ key, value })),
        })),
      )
    }),
  )
})

test('a batch whose records are damaged is a WireError, wherever the damage is', () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, place, flip) => {
      const { records, compression } = given
      const damaged = Buffer.from(encodeBatch(records, { compression }).bytes)
      const at = batchHeaderBytes + (place % (damaged.length - batchHeaderBytes))
      damaged.writeUInt8(damaged.readUInt8(at) ^ flip, at)
      const outcome = readBatch(damaged)
      ok(outcome.kind === 'batch')
      try {
        for (const _ of recordsIn(outcome.batch, { bytesMax: 100_000 }));
      } catch (error) {
        ok(error instanceof WireError, String(error))
      }
    }),
    { numRuns: 500 },
  )
})

test('a search may stop before records that can not be read', () => {
  const two = [
    { timestamp: 0n, value: Buffer.from('a') },
    { timestamp: 0n, value: Buffer.from('b') },
  ]
  const { bytes } = encodeBatch(two)
  const cut = Buffer.from(bytes.subarray(0, -1))
  cut.writeInt32BE(cut.length - 12, 8)
  const outcome = readBatch(cut)
  ok(outcome.kind === 'batch')
  const records = recordsIn(outcome.batch)
  strictEqual(records.next().done, false)
  throws(() => records.next(), { code: 'truncated', message: /^record 1 of the batch at offset 0/ })
})

test('a count of records that the bytes can not hold is refused before any is read', () => {
  const batch = reread(encodeBatch([{ timestamp: 0n }]))
  batch.header.recordsCount = 0x7fff_ffff
  throws(() => recordsIn(batch).next(), { code: 'malformed' })
  batch.header.recordsCount = -1
  throws(() => recordsIn(batch).next(), { code: 'malformed' })
})

test('a batch that holds more than it says is malformed', () => {
  const batch = reread(encodeBatch([{ timestamp: 0n }, { timestamp: 0n }]))
  batch.header.recordsCount = 1
  throws(() => [...recordsIn(batch)], {
    code: 'malformed',
    message: /bytes follow the last record/,
  })
})

test('a batch from which compaction took all records has none', () => {
  const batch = reread(encodeBatch([{ timestamp: 0n }]))
  const empty = Buffer.from(batch.bytes.subarray(0, batchHeaderBytes))
  empty.writeInt32BE(batchHeaderBytes - 12, 8)
  empty.writeInt32BE(0, 57)
  const outcome = readBatch(empty)
  ok(outcome.kind === 'batch')
  deepStrictEqual([...recordsIn(outcome.batch)], [])
})
