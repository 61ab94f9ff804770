import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errors, ListOffsets } from '@millrace/wire'
import { clientOf, makeTopic, produce, startTestBroker } from '../../test/test-broker.ts'

const times: readonly [what: string, timestamp: bigint, firstVersion: number][] = [
  ['the latest offset', -1n, 1],
  ['the earliest offset', -2n, 1],
  ['the record with the latest timestamp', -3n, 7],
  ['the earliest offset on local disk', -4n, 8],
  ['the latest offset in tiered storage', -5n, 9],
  ['a time that has no meaning yet', -6n, Number.POSITIVE_INFINITY],
  ['the first record from a time on', 0n, 1],
]

for (const [what, timestamp, firstVersion] of times) {
  test(`${what} is told from version ${firstVersion} on, and refused before`, async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    await makeTopic(wire, 'orders')
    await produce(wire, 'orders', 'one')
    const [first, last] = ListOffsets.versions
    for (let version = Math.max(first, 1); version <= last; version++) {
      const { topics } = await wire.ask(ListOffsets, version, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp }] }],
      })
      const expected = version < firstVersion ? errors.unsupportedVersion : errors.none
      assert.equal(topics[0]?.partitions[0]?.errorCode, expected.code, `version ${version}`)
    }
  })
}
