import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedInterferedMs, sharedKindsMax, sharedSlowMs } from '../limits.ts'
import { ManualClock } from '../manual-clock.ts'
import type { Sharing } from './shared-transaction.ts'
import { SharingRecord } from './sharing-record.ts'

function fixture() {
  const clock = new ManualClock()
  const record = new SharingRecord(clock)
  const run = (runs: number, failedEvery: number) => {
    for (let number = 1; number <= runs; number += 1) {
      record.note('a', number % failedEvery === 0 ? 'failed' : 'committed')
    }
  }
  return { clock, record, run }
}

test('a kind that nothing is known of shares', () => {
  assert.equal(fixture().record.admits('a'), true)
})

test('two failures in a hundred are no reason to be alone, and six are', () => {
  const { record, run } = fixture()
  run(1_000, 50)
  assert.equal(record.admits('a'), true)
  run(1_000, 16)
  assert.equal(record.admits('a'), false)
})

test('a kind that was alone for its failures shares again once it fails seldom', () => {
  const { record, run } = fixture()
  run(1_000, 10)
  run(100, Infinity)
  assert.equal(record.admits('a'), false)
  run(500, Infinity)
  assert.equal(record.admits('a'), true)
})

for (const [how, forMs] of [
  ['slow', sharedSlowMs],
  ['interfered', sharedInterferedMs],
] as const satisfies readonly (readonly [Sharing, number])[]) {
  test(`a kind that was ${how} is alone for a while, and no other is`, async () => {
    const { clock, record } = fixture()
    record.note('a', how)
    assert.deepEqual([record.admits('a'), record.admits('b')], [false, true])
    await clock.advance(forMs - 1)
    assert.equal(record.admits('a'), false)
    await clock.advance(1)
    assert.equal(record.admits('a'), true)
  })
}

test('beyond its limit of kinds nothing is remembered, and new ones are alone', () => {
  const { record } = fixture()
  for (let number = 0; number < sharedKindsMax; number += 1) {
    record.note(`kind ${number}`, 'committed')
  }
  assert.deepEqual([record.admits('kind 0'), record.admits('new')], [true, false])
})
