import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyHash, murmur2, partitionOf } from './partitioner.ts'

// What Kafka's own clients compute: `Utils.murmur2` of kafka-clients.
const kafkaHashes: readonly (readonly [key: string, hash: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

for (const [key, hash] of kafkaHashes) {
  test(`the key "${key}" has the hash that Kafka gives it`, () => {
    assert.equal(murmur2(new TextEncoder().encode(key)), hash)
  })
}

test('a negative hash loses its sign bit, and no more, before it chooses a partition', () => {
  assert.equal(keyHash('21'), -973932308 & 0x7fffffff)
  assert.equal(partitionOf(keyHash('21'), 4), 0)
})
