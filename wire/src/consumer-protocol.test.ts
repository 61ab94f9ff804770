import { deepStrictEqual, strictEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { packed } from '../test/hex.ts'
import {
  ConsumerAssignment,
  ConsumerSubscription,
  decodeVersioned,
  encodeVersioned,
} from './consumer-protocol.ts'

test('an assignment begins with its version', () => {
  const bytes = encodeVersioned(ConsumerAssignment, 1, {
    assignedPartitions: [{ topic: 'a', partitions: [3] }],
  })
  const topic = '0001 61 00000001 00000003'
  strictEqual(Buffer.from(bytes).toString('hex'), packed(`0001 00000001 ${topic} ffffffff`))
})

test('a subscription that is newer than ours is read as far as we know it', () => {
  const ours = encodeVersioned(ConsumerSubscription, 3, { topics: ['a'], rackId: 'r' })
  const newer = Buffer.concat([ours, Buffer.from('more')])
  newer.writeInt16BE(9)
  const { version, value } = decodeVersioned(ConsumerSubscription, newer)
  strictEqual(version, 9)
  deepStrictEqual(value, {
    topics: ['a'],
    userData: null,
    ownedPartitions: [],
    generationId: -1,
    rackId: 'r',
  })
})

test('a version below zero is unsupported', () => {
  throws(() => decodeVersioned(ConsumerAssignment, Buffer.from([0xff, 0xff])), {
    code: 'unsupported-version',
  })
})
