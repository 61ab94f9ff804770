import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from './group-protocol.ts'

const subscription = {
  topics: ['a', 'b'],
  owned: [
    { topic: 'a', partition: 0 },
    { topic: 'a', partition: 3 },
  ],
  generation: 7,
  streams: new Map([['a', 's']]),
  counts: new Map([['a', 4]]),
  wish: 2,
}

test('a subscription is read as it was written', () => {
  assert.deepEqual(decodeSubscription(encodeSubscription(subscription)), subscription)
})

test('the order in which topics were found does not change the text that Kafka compares', () => {
  const one = { ...subscription, counts: new Map(Object.entries({ a: 4, b: 2 })) }
  const other = { ...subscription, counts: new Map(Object.entries({ b: 2, a: 4 })) }
  assert.deepEqual(encodeSubscription(one), encodeSubscription(other))
})

test('an assignment is read as it was written', () => {
  const assignment = {
    partitions: [{ topic: 'a', partition: 1 }],
    counts: new Map([['a', 4]]),
  }
  assert.deepEqual(decodeAssignment(encodeAssignment(assignment)), assignment)
})

test('a member that restarts while nothing was dealt to it is assigned nothing', () => {
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)), { partitions: [], counts: new Map() })
})

const foreign: readonly [string, string][] = [
  ['no JSON', 'sticky'],
  ['JSON of another kind', '[1]'],
  ['other types', '{"streams":[["a",1],["b"],2],"counts":{"a":4},"wish":-1}'],
]
for (const [what, userData] of foreign) {
  test(`user data that is ${what} counts as not told`, () => {
    const bytes = encodeSubscription({ ...subscription, streams: new Map(), counts: new Map() })
    const told = '{"streams":[],"counts":[],"wish":2}'
    const at = bytes.indexOf(told)
    const length = Buffer.alloc(4)
    length.writeInt32BE(userData.length)
    const written = Buffer.concat([
      bytes.subarray(0, at - 4),
      length,
      Buffer.from(userData),
      bytes.subarray(at + told.length),
    ])
    const read = decodeSubscription(written)
    assert.deepEqual([read.streams, read.counts, read.wish], [new Map(), new Map(), 0])
    assert.deepEqual(read.owned, subscription.owned)
  })
}
