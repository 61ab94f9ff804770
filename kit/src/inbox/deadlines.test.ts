import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../manual-clock.ts'
import { Deadlines } from './deadlines.ts'

function deadlines() {
  const clock = new ManualClock(0)
  const over: string[] = []
  const it = new Deadlines<string>(clock, 100, (item) => over.push(`${item} ${clock.nowMs()}`))
  return { clock, it, over }
}

test('each is over at its own time, with one timer for all', async () => {
  const { clock, it, over } = deadlines()
  it.add('a')
  await clock.advance(30)
  it.add('b')
  it.add('c')
  assert.equal(clock.timers, 1)
  await clock.advance(500)
  assert.deepEqual(over, ['a 100', 'b 130', 'c 130'])
  assert.equal(clock.timers, 0)
})

test('what is done in time is never over, and the last leaves no timer', async () => {
  const { clock, it, over } = deadlines()
  it.add('a')
  await clock.advance(50)
  it.add('b')
  it.remove('a')
  await clock.advance(60)
  assert.deepEqual(over, [])
  it.remove('b')
  assert.equal(clock.timers, 0)
})

test('one that is added again has its whole time again', async () => {
  const { clock, it, over } = deadlines()
  it.add('a')
  it.add('b')
  await clock.advance(50)
  it.remove('a')
  it.add('a')
  await clock.advance(200)
  assert.deepEqual(over, ['b 100', 'a 150'])
})
