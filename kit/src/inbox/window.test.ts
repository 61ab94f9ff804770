import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Window } from './window.ts'

test('it pauses at its limit of events and resumes at half of it', () => {
  const window = new Window({ eventsMax: 4, bytesMax: 1_000, spanMax: 1_000 })
  const entered = [1, 2, 3, 4, 5].map(() => window.enter(1, 0))
  assert.deepEqual(entered, [null, null, null, 'pause', null])
  const left = [1, 2, 3, 4, 5].map(() => window.leave(1, 0))
  assert.deepEqual(left, [null, null, 'resume', null, null])
})

test('one large record is enough to pause it', () => {
  const window = new Window({ eventsMax: 100, bytesMax: 1_000, spanMax: 1_000 })
  assert.equal(window.enter(1_500, 0), 'pause')
  assert.equal(window.isPaused, true)
  assert.equal(window.leave(1_500, 0), 'resume')
})

test('one event that is long not done pauses it, however few are in memory', () => {
  const window = new Window({ eventsMax: 100, bytesMax: 1_000, spanMax: 1_000 })
  assert.equal(window.enter(1, 999), null)
  assert.equal(window.enter(1, 1_000), 'pause')
  assert.equal(window.leave(1, 1_000), null)
  assert.equal(window.leave(1, 0), 'resume')
})
