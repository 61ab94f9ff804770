import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { openMemoryDisk } from '../disk/memory-disk.ts'
import { readWhole } from '../disk/whole-file.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'

const disk = () => openMemoryDisk(() => 0)
const BASE = 5_000_000_000n

/** Batches one after the other: how many records and bytes each has, and its greatest timestamp. */
const batches = fc.array(
  fc.record({
    count: fc.integer({ min: 1, max: 50 }),
    bytes: fc.integer({ min: 61, max: 5000 }),
    timestampMs: fc.bigInt({ min: 0n, max: 1000n }),
  }),
  { maxLength: 60 },
)

function laidOut(sizes: readonly { count: number; bytes: number; timestampMs: bigint }[]) {
  let offset = BASE
  let position = 0
  return sizes.map(({ count, bytes, timestampMs }) => {
    const batch = { first: offset, last: offset + BigInt(count) - 1n, position, timestampMs }
    offset += BigInt(count)
    position += bytes
    return batch
  })
}

test('a position before an offset is that of an indexed batch at or below it, the last one', () => {
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 5 }), (sizes, every) => {
      const file = disk().open('index')
      const index = new OffsetIndex(file, BASE)
      const all = laidOut(sizes)
      const indexed = all.filter((_, at) => at > 0 && at % every === 0)
      for (const batch of indexed) index.add(batch.last, batch.position)
      index.file.write()
      for (const known of [index, new OffsetIndex(file, BASE)]) {
        for (const { first, last } of all) {
          for (const offset of [first, last]) {
            const expected = indexed.findLast((batch) => batch.last <= offset)?.position ?? 0
            assert.equal(known.positionBefore(offset), expected)
          }
        }
      }
    }),
  )
})

test('the entry for a time names the last batch that raised the greatest timestamp up to it', () => {
  fc.assert(
    fc.property(batches, (sizes) => {
      const index = new TimeIndex(disk().open('timeindex'), BASE)
      const all = laidOut(sizes)
      for (const { timestampMs, last } of all) index.add({ timestampMs, lastOffset: last })
      for (let timestampMs = 0n; timestampMs <= 1001n; timestampMs += 77n) {
        const found = index.lastAtOrBefore(timestampMs)
        const firstAtOrAfter = all.find((batch) => batch.timestampMs >= timestampMs)
        // Whatever is at or after the time lies at or behind the batch that the entry names.
        if (found !== undefined && firstAtOrAfter !== undefined) {
          assert.ok(found.lastOffset <= firstAtOrAfter.last)
        }
      }
    }),
  )
})

test('entries have the bytes that Kafka gives them', () => {
  const opened = disk()
  const offsets = new OffsetIndex(opened.open('a.index'), BASE)
  offsets.add(BASE + 7n, 4200)
  offsets.file.write()
  const times = new TimeIndex(opened.open('a.timeindex'), BASE)
  times.add({ timestampMs: 1_700_000_000_000n, lastOffset: BASE + 7n })
  times.add({ timestampMs: 1_700_000_000_000n, lastOffset: BASE + 9n })
  times.file.write()
  const hex = (name: string) => Buffer.from(readWhole(opened, '', name) ?? []).toString('hex')
  assert.equal(hex('a.index'), '0000000700001068')
  assert.equal(hex('a.timeindex'), '0000018bcfe5680000000007')
})

test('an index that was unloaded is read again from its file, and goes on growing', () => {
  const index = new OffsetIndex(disk().open('index'), 0n)
  for (let at = 1; at < 500; at++) index.add(BigInt(at), at * 100)
  index.file.unload()
  assert.equal(index.positionBefore(400n), 40_000)
  index.file.write()
  index.file.unload()
  index.add(500n, 50_000)
  assert.equal(index.positionBefore(400n), 40_000)
  assert.equal(index.positionBefore(9999n), 50_000)
})
