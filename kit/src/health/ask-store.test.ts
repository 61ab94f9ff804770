import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../manual-clock.ts'
import { storeAskedMsMax } from '../observe/limits.ts'
import { askStore } from './ask-store.ts'

test('a database that refuses is an answer, with the reason', async () => {
  const answer = await askStore(new ManualClock(), () => Promise.reject(new Error('refused')))
  assert.deepEqual(answer, { kind: 'unknown', reason: 'refused' })
})

test('a database that hangs is waited for no longer than the limit', async () => {
  const clock = new ManualClock()
  const answer = askStore(clock, () => new Promise(() => {}))
  await clock.advance(storeAskedMsMax)
  assert.equal((await answer).kind, 'unknown')
  assert.equal(clock.timers, 0)
})
