import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readersOf } from './readers.ts'

test('the creator reads it, and an assignee who is somebody else', () => {
  assert.deepEqual(readersOf({ creatorId: 1, assigneeId: null }), [{ userId: 1, role: 'creator' }])
  assert.deepEqual(readersOf({ creatorId: 1, assigneeId: 1 }), [{ userId: 1, role: 'creator' }])
  assert.deepEqual(readersOf({ creatorId: 1, assigneeId: 2 }), [
    { userId: 1, role: 'creator' },
    { userId: 2, role: 'assignee' },
  ])
})
