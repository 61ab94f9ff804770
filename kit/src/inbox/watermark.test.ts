import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Watermark } from './watermark.ts'

test('the position waits for the lowest offset that is not done', () => {
  const watermark = new Watermark(5n)
  for (const offset of [5n, 6n, 7n]) watermark.take(offset)
  watermark.done(7n)
  watermark.done(6n)
  assert.equal(watermark.position, 5n)
  watermark.done(5n)
  assert.equal(watermark.position, 8n)
  assert.equal(watermark.size, 0)
})

test('offsets that were never there do not hold it back', () => {
  const watermark = new Watermark(0n)
  watermark.take(3n)
  watermark.take(9n)
  watermark.done(3n)
  assert.equal(watermark.position, 4n)
  watermark.done(9n)
  assert.equal(watermark.position, 10n)
})

test('an offset that was taken already is not taken again', () => {
  const watermark = new Watermark(2n)
  assert.equal(watermark.take(1n), false)
  assert.equal(watermark.take(2n), true)
  assert.equal(watermark.take(2n), false)
  watermark.done(2n)
  assert.equal(watermark.take(2n), false)
})

test('W3: what was done before is passed without being taken', () => {
  const watermark = new Watermark(5n, [6n, 8n])
  const taken = [5n, 6n, 7n, 8n, 9n].filter((offset) => watermark.take(offset))
  assert.deepEqual(taken, [5n, 7n, 9n])
  assert.deepEqual(new Set(watermark.completed()), new Set([6n, 8n]))
  watermark.done(5n)
  assert.equal(watermark.position, 7n)
  assert.equal(watermark.span, 2)
  watermark.done(7n)
  assert.equal(watermark.position, 9n)
})

test('what was done before counts as done before it is read again', () => {
  const watermark = new Watermark(5n, [7n, 9n])
  watermark.take(5n)
  assert.deepEqual(new Set(watermark.completed()), new Set([7n, 9n]))
})

test('W1 and W2 hold for any order of completion', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 }),
      fc.infiniteStream(fc.nat()),
      (picked, chance) => {
        const offsets = picked.sort((a, b) => a - b).map(BigInt)
        const watermark = new Watermark(0n)
        for (const offset of offsets) watermark.take(offset)
        const open = [...offsets]
        let before = 0n
        while (open.length > 0) {
          const [offset] = open.splice(chance.next().value % open.length, 1)
          watermark.done(offset ?? 0n)
          const lowestOpen = BigInt(Math.min(10_000, ...open.map(Number)))
          const passed = offsets.filter((other) => other < lowestOpen).at(-1)
          assert.equal(watermark.position, passed === undefined ? 0n : passed + 1n, 'W1')
          assert.ok(watermark.position >= before, 'W2')
          before = watermark.position
        }
      },
    ),
  )
})
