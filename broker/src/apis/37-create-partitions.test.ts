import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreatePartitions, CreateTopics, errors } from '@millrace/wire'
import { clientOf, makeTopic, startTestBroker } from '../../test/test-broker.ts'
import { nodeId } from '../broker-parts.ts'

const assignments: readonly [what: string, brokerIds: number[], isTaken: boolean][] = [
  ['to the only broker', [nodeId], true],
  ['to a broker that there is not', [nodeId + 1], false],
  ['twice to the only broker', [nodeId, nodeId], false],
  ['to nobody', [], false],
]

for (const [what, brokerIds, isTaken] of assignments) {
  const expected = isTaken ? errors.none : errors.invalidReplicaAssignment
  test(`a partition assigned ${what} is ${isTaken ? 'made' : 'refused'}`, async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    await makeTopic(wire, 'orders')
    const added = await wire.ask(CreatePartitions, 3, {
      topics: [{ name: 'orders', count: 2, assignments: [{ brokerIds }] }],
      timeoutMs: 1000,
      validateOnly: false,
    })
    assert.equal(added.results[0]?.errorCode, expected.code)
    const made = await wire.ask(CreateTopics, 7, {
      topics: [
        {
          name: 'payments',
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [{ partitionIndex: 0, brokerIds }],
          configs: [],
        },
      ],
      validateOnly: false,
    })
    assert.equal(made.topics[0]?.errorCode, expected.code)
  })
}
