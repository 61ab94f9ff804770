import assert from 'node:assert/strict'
import { test } from 'node:test'
import { breakerKeysMin, probeDelayMsMax } from '../limits.ts'
import { Breaker } from './breaker.ts'
import type { Failure } from './failure.ts'

const failure = (signature: string, isOutage = false): Failure => {
  return { message: `it said ${signature}`, signature, isOutage, isFinal: false }
}
const free = { nowMs: 0, isProbe: false }
const keys = Array.from({ length: breakerKeysMin }, (_, index) => `key ${index}`)

test('distinct keys that fail alike are an outage; the last of them is not counted', () => {
  const breaker = new Breaker(() => 0)
  const verdicts = keys.map((key) => breaker.failed(key, failure('down'), free))
  assert.deepEqual(verdicts, [...keys.slice(1).map(() => 'counted'), 'outage'])
  assert.equal(breaker.state.kind, 'open')
  assert.equal(breaker.isExcused('down'), true)
})

const noOutages: readonly [string, (breaker: Breaker) => void][] = [
  [
    'one key that fails again and again',
    (breaker) => {
      for (let attempt = 0; attempt < 50; attempt += 1)
        breaker.failed('same', failure('down'), free)
    },
  ],
  [
    'keys that fail each in its own way',
    (breaker) => {
      for (const key of keys) breaker.failed(key, failure(`because of ${key}`), free)
    },
  ],
  [
    'failures with a success in between',
    (breaker) => {
      for (const key of keys) {
        breaker.failed(key, failure('down'), free)
        breaker.succeeded()
      }
    },
  ],
]
for (const [what, run] of noOutages) {
  test(`${what} are no outage`, () => {
    const breaker = new Breaker(() => 0)
    run(breaker)
    assert.equal(breaker.state.kind, 'closed')
  })
}

test('a declared outage opens it at once', () => {
  const breaker = new Breaker(() => 0)
  assert.equal(breaker.failed('a', failure('smtp', true), free), 'outage')
  assert.equal(breaker.state.kind, 'open')
})

test('probes that fail wait longer and longer, up to a limit', () => {
  const breaker = new Breaker(() => 1)
  breaker.failed('a', failure('smtp', true), free)
  const waits: number[] = []
  for (let probe = 0; probe < 8; probe += 1) {
    const nowMs = probeAtMs(breaker)
    breaker.failed('a', failure('smtp'), { nowMs, isProbe: true })
    waits.push(probeAtMs(breaker) - nowMs)
  }
  assert.deepEqual(waits.slice(0, 3), [2_000, 4_000, 8_000])
  assert.equal(waits.at(-1), probeDelayMsMax)
})

test('what ran freely and fails alike after it opened is not counted, and delays no probe', () => {
  const breaker = new Breaker(() => 0)
  breaker.failed('a', failure('smtp', true), free)
  const before = breaker.state
  assert.equal(breaker.failed('b', failure('smtp'), { nowMs: 5, isProbe: false }), 'outage')
  assert.equal(breaker.failed('c', failure('a bug'), { nowMs: 5, isProbe: false }), 'counted')
  assert.equal(breaker.state, before)
})

test('a probe that fails unlike closes it, and its failure counts', () => {
  const breaker = new Breaker(() => 0)
  breaker.failed('a', failure('smtp', true), free)
  assert.equal(breaker.failed('a', failure('a bug'), { nowMs: 5, isProbe: true }), 'counted')
  assert.equal(breaker.state.kind, 'closed')
})

test('final failures are no outage, however many are alike', () => {
  const breaker = new Breaker(() => 0)
  const refused = { ...failure('refused'), isFinal: true }
  const verdicts = keys.map((key) => breaker.failed(key, refused, free))
  assert.deepEqual(new Set(verdicts), new Set(['counted']))
  assert.equal(breaker.state.kind, 'closed')
})

test('a probe that fails for good closes it: the dependency has answered', () => {
  const breaker = new Breaker(() => 0)
  breaker.failed('a', failure('smtp', true), free)
  const refused = { ...failure('refused'), isFinal: true }
  breaker.failed('b', refused, { nowMs: 5, isProbe: false })
  assert.equal(breaker.state.kind, 'open')
  assert.equal(breaker.failed('a', refused, { nowMs: 5, isProbe: true }), 'counted')
  assert.equal(breaker.state.kind, 'closed')
})

function probeAtMs({ state }: Breaker): number {
  assert.ok(state.kind === 'open')
  return state.probeAtMs
}
