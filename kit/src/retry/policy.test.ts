import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterFailure } from './policy.ts'

const options = { attemptsMax: 6, delayMsMin: 100, delayMsMax: 1_000 }

test('waits double up to their limit, and end with the last attempt', () => {
  const after = [1, 2, 3, 4, 5, 6].map((attempt) => afterFailure(attempt, options, () => 0.999_999))
  assert.deepEqual(after, [
    { kind: 'retry', delayMs: 99 },
    { kind: 'retry', delayMs: 199 },
    { kind: 'retry', delayMs: 399 },
    { kind: 'retry', delayMs: 799 },
    { kind: 'retry', delayMs: 999 },
    { kind: 'exhausted' },
  ])
})

test('jitter is full: a wait may be anything down to nothing', () => {
  assert.deepEqual(
    afterFailure(3, options, () => 0),
    { kind: 'retry', delayMs: 0 },
  )
})

test('a thousand doublings are no overflow', () => {
  const patient = { attemptsMax: 10_000, delayMsMin: 100, delayMsMax: 1_000 }
  assert.deepEqual(
    afterFailure(1_100, patient, () => 0.5),
    { kind: 'retry', delayMs: 500 },
  )
})
