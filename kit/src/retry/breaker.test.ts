import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breaker } from './breaker.ts'
import type { Failure } from './failure.ts'
import { breakerEvidenceMax, breakerKeysMin, probeDelayMsMax } from './limits.ts'

const failure = (signature: string, isOutage = false): Failure => {
  return { message: `it said ${signature}`, signature, isOutage, isFinal: false }
}
const free = { nowMs: 0, isTrial: false }
const keys = Array.from({ length: breakerKeysMin }, (_, index) => `key ${index}`)

test('distinct keys that fail alike are an outage; the last of them is not counted', () => {
  const breaker = new Breaker(() => 0, 4)
  const verdicts = keys.map((key) => breaker.failed(key, failure('down'), free))
  assert.deepEqual(verdicts, [...keys.slice(1).map(() => 'counted'), 'outage'])
  assert.equal(breaker.state.kind, 'open')
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
    const breaker = new Breaker(() => 0, 4)
    run(breaker)
    assert.equal(breaker.state.kind, 'closed')
  })
}

test('a declared outage opens it at once', () => {
  const breaker = new Breaker(() => 0, 4)
  assert.equal(breaker.failed('a', failure('smtp', true), free), 'outage')
  assert.equal(breaker.state.kind, 'open')
})

test('probes that fail wait longer and longer, up to a limit', () => {
  const breaker = new Breaker(() => 1, 4)
  breaker.failed('a', failure('smtp', true), free)
  const waits: number[] = []
  for (let probe = 0; probe < 8; probe += 1) {
    const nowMs = probeAtMs(breaker)
    breaker.failed('a', failure('smtp'), { nowMs, isTrial: true })
    waits.push(probeAtMs(breaker) - nowMs)
  }
  assert.deepEqual(waits.slice(0, 2), [2_000, 4_000])
  assert.equal(waits.at(-1), probeDelayMsMax)
})

test('what ran freely and fails alike after it opened is not counted, and delays no probe', () => {
  const breaker = new Breaker(() => 0, 4)
  breaker.failed('a', failure('smtp', true), free)
  const before = breaker.state
  assert.equal(breaker.failed('b', failure('smtp'), { nowMs: 5, isTrial: false }), 'outage')
  assert.equal(breaker.failed('c', failure('a bug'), { nowMs: 5, isTrial: false }), 'counted')
  assert.equal(breaker.state, before)
})

test('a probe that fails unlike is an answer, and its failure counts', () => {
  const breaker = new Breaker(() => 0, 4)
  breaker.failed('a', failure('smtp', true), free)
  assert.equal(breaker.failed('a', failure('a bug'), { nowMs: 5, isTrial: true }), 'counted')
  assert.equal(breaker.state.kind, 'ramping')
})

test('each answer lets one more run, each failure alike halves them, down to a probe', () => {
  const breaker = new Breaker(() => 0, 8)
  const trial = { nowMs: 5, isTrial: true }
  const runsMax = () => (breaker.state.kind === 'ramping' ? breaker.state.runsMax : 0)
  breaker.failed('a', failure('down', true), free)
  const ramp: number[] = []
  for (const _ of [1, 2, 3, 4]) {
    breaker.succeeded()
    ramp.push(runsMax())
  }
  assert.equal(breaker.failed('b', failure('down'), trial), 'outage')
  ramp.push(runsMax())
  assert.deepEqual(ramp, [2, 3, 4, 5, 2])
  assert.equal(breaker.failed('b', failure('down'), trial), 'outage')
  assert.equal(breaker.state.kind, 'open')
  for (let answer = 0; answer < 8; answer += 1) breaker.succeeded()
  assert.equal(breaker.state.kind, 'closed')
})

test('an event that is answered, and then cannot be put aside, is not tried without a pause', () => {
  const breaker = new Breaker(() => 0, 8)
  const trial = { nowMs: 5, isTrial: true }
  breaker.failed('a', failure('disk full', true), free)
  for (const _ of [1, 2, 3]) {
    assert.equal(breaker.failed('a', failure('poison'), trial), 'counted')
    assert.equal(breaker.failed('a', failure('disk full', true), trial), 'outage')
    assert.equal(breaker.state.kind, 'open')
  }
})

test('a subscription that runs one event at a time is back with its probe', () => {
  const breaker = new Breaker(() => 0, 1)
  breaker.failed('a', failure('down', true), free)
  breaker.succeeded()
  assert.equal(breaker.state.kind, 'closed')
})

test('an outage with two faces is one: what failed in between in another way changes nothing', () => {
  const breaker = new Breaker(() => 0, 4)
  const verdicts = keys.flatMap((key) => [
    breaker.failed(`refused ${key}`, failure('refused'), free),
    breaker.failed(`reset ${key}`, failure('reset'), free),
  ])
  assert.equal(verdicts.indexOf('outage'), 2 * breakerKeysMin - 2)
})

test('kinds of failure that are ever new are not remembered without end', () => {
  const breaker = new Breaker(() => 0, 4)
  const kinds = Array.from({ length: breakerEvidenceMax }, (_, index) => `kind ${index}`)
  const [last = '', ...others] = keys
  for (const key of others) breaker.failed(key, failure('first'), free)
  for (const kind of kinds) breaker.failed(last, failure(kind), free)
  assert.equal(breaker.failed(last, failure('first'), free), 'counted')
})

test('final failures are no outage, however many are alike', () => {
  const breaker = new Breaker(() => 0, 4)
  const refused = { ...failure('refused'), isFinal: true }
  const verdicts = keys.map((key) => breaker.failed(key, refused, free))
  assert.deepEqual(new Set(verdicts), new Set(['counted']))
  assert.equal(breaker.state.kind, 'closed')
})

test('a probe that fails for good is an answer, another that does is none', () => {
  const breaker = new Breaker(() => 0, 4)
  breaker.failed('a', failure('smtp', true), free)
  const refused = { ...failure('refused'), isFinal: true }
  breaker.failed('b', refused, { nowMs: 5, isTrial: false })
  assert.equal(breaker.state.kind, 'open')
  assert.equal(breaker.failed('a', refused, { nowMs: 5, isTrial: true }), 'counted')
  assert.equal(breaker.state.kind, 'ramping')
})

function probeAtMs({ state }: Breaker): number {
  assert.ok(state.kind === 'open')
  return state.probeAtMs
}
