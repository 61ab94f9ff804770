import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LagTrend } from './lag-trend.ts'

/** Lags, each ten seconds after the one before. */
const cases: readonly [string, readonly number[], number | null][] = [
  ['a lag that grows all the time grows', [0, 1_000, 2_000, 3_000, 4_000], 100],
  ['a high lag that stays does not', [90_000, 90_000, 90_000, 90_000, 90_000], null],
  ['a burst that is worked off does not', [0, 9_000, 8_000, 6_000, 5_000], null],
  ['a short look is no trend', [0, 9_000], null],
  ['a few records more are no trend', [0, 1, 2, 3, 4, 5], null],
]
for (const [what, lags, growth] of cases) {
  test(what, () => {
    const trend = new LagTrend()
    for (const [index, lag] of lags.entries()) trend.add({ atMs: index * 10_000, lag })
    assert.equal(trend.growthPerSecond, growth)
  })
}

test('old readings are forgotten', () => {
  const trend = new LagTrend()
  trend.add({ atMs: 0, lag: 0 })
  trend.add({ atMs: 3_600_000, lag: 90_000 })
  assert.equal(trend.growthPerSecond, null)
})

test('many who ask at once count as one reading', () => {
  const trend = new LagTrend()
  for (let atMs = 0; atMs < 100; atMs += 1) trend.add({ atMs, lag: atMs * 1_000 })
  trend.add({ atMs: 40_000, lag: 4_000 })
  assert.equal(trend.growthPerSecond, 100)
})
