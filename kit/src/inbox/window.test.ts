import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Window } from './window.ts'

test('it pauses at its limit of events and resumes at half of it', () => {
  const window = new Window({ eventsMax: 4, bytesMax: 1_000 })
  const entered = [1, 2, 3, 4, 5].map(() => window.enter(1))
  assert.deepEqual(entered, [null, null, null, 'pause', null])
  const left = [1, 2, 3, 4, 5].map(() => window.leave(1))
  assert.deepEqual(left, [null, null, 'resume', null, null])
})

test('one large record is enough to pause it', () => {
  const window = new Window({ eventsMax: 100, bytesMax: 1_000 })
  assert.equal(window.enter(1_500), 'pause')
  assert.equal(window.isPaused, true)
  assert.equal(window.leave(1_500), 'resume')
})
