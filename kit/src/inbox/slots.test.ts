import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots } from './slots.ts'

/** Takes what a lane is given; returns how much that was. */
function takeAll(slots: Slots, lane: string): number {
  let taken = 0
  for (; slots.isFree(lane); taken += 1) slots.take(lane)
  return taken
}

test('a lane that is alone takes all', () => {
  assert.equal(takeAll(new Slots(100, 1), 'a'), 100)
})

test('a lane that takes all that it gets leaves each other its own', () => {
  const slots = new Slots(100, 5)
  assert.equal(takeAll(slots, 'slow'), 60)
  for (const lane of ['a', 'b', 'c', 'd']) assert.equal(takeAll(slots, lane), 10)
})

test('what is given back goes to whoever comes first, then to its owner', () => {
  const slots = new Slots(8, 2)
  assert.equal(takeAll(slots, 'a'), 6)
  assert.equal(takeAll(slots, 'b'), 2)
  for (const _ of [1, 2, 3, 4]) slots.give('a')
  assert.equal(takeAll(slots, 'b'), 4)
  assert.equal(takeAll(slots, 'a'), 0)
  slots.give('b')
  assert.equal(takeAll(slots, 'a'), 1)
})

test('more lanes than slots share them all', () => {
  const slots = new Slots(2, 10)
  assert.equal(takeAll(slots, 'a'), 2)
  slots.give('a')
  assert.equal(takeAll(slots, 'b'), 1)
})
