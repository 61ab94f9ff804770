import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ApiVersions, encodeBatch, errors, InitProducerId, Produce } from '@millrace/wire'
import { batchOf, clientOf, makeTopic, produceOf, startTestBroker } from '../../test/test-broker.ts'
import type { WireClient } from '../../test/wire-client.ts'
import { FaultyDisk } from '../disk/faulty-disk.ts'

const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

async function outcomeOf(wire: WireClient, request: ReturnType<typeof produceOf>, version = 9) {
  const { responses } = await wire.ask(Produce, version, request)
  const partition = responses[0]?.partitionResponses[0]
  assert.ok(partition !== undefined)
  return partition
}

describe('what a produce is refused', () => {
  const refusals = [
    [
      'a topic that there is not',
      produceOf('nowhere', batchOf('a')),
      errors.unknownTopicOrPartition,
    ],
    [
      'a partition that there is not',
      produceOf('orders', batchOf('a'), { partition: 3 }),
      errors.unknownTopicOrPartition,
    ],
    ['acks=2', produceOf('orders', batchOf('a'), { acks: 2 }), errors.invalidRequiredAcks],
    [
      'a transaction',
      { ...produceOf('orders', batchOf('a')), transactionalId: 'mine' },
      errors.transactionalIdAuthorizationFailed,
    ],
    ['a damaged batch', produceOf('orders', batchOf('a').fill(9, 66)), errors.corruptMessage],
  ] as const
  for (const [what, request, error] of refusals) {
    test(`${what}, with a message that says why`, async () => {
      await using broker = await startTestBroker()
      await using wire = await clientOf(broker)
      await makeTopic(wire, 'orders')
      const outcome = await outcomeOf(wire, request)
      assert.equal(outcome.errorCode, error.code)
      assert.equal(outcome.baseOffset, -1n)
      assert.ok((outcome.errorMessage ?? '').length > 10)
    })
  }

  test('a partition that is named twice takes its first batch, and the second is refused', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    await makeTopic(wire, 'orders')
    const partitionData = [batchOf('a'), batchOf('b')].map((records) => ({ index: 0, records }))
    const topicData = [{ name: 'orders', partitionData }]
    const { responses } = await wire.ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
    const codes = responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)
    assert.deepEqual(codes, [errors.none.code, errors.invalidRequest.code])
  })

  for (const version of [0, 1, 2]) {
    test(`version ${version}, which is advertised for old clients' feature tests`, async () => {
      await using broker = await startTestBroker()
      await using wire = await clientOf(broker)
      await makeTopic(wire, 'orders')
      const outcome = await outcomeOf(wire, produceOf('orders', batchOf('a')), version)
      assert.equal(outcome.errorCode, errors.unsupportedVersion.code)
    })
  }
})

describe('what a produce is promised', () => {
  test('acks=all needs no more replicas than there are, whatever min.insync.replicas says', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    await makeTopic(wire, 'orders', { configs: { 'min.insync.replicas': '2' } })
    const outcome = await outcomeOf(wire, produceOf('orders', batchOf('a')))
    assert.equal(outcome.errorCode, errors.none.code)
  })

  test('one partition that fails does not fail the other', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    await makeTopic(wire, 'orders')
    const { responses } = await wire.ask(Produce, 9, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        { name: 'orders', partitionData: [{ index: 0, records: batchOf('a') }] },
        { name: 'nowhere', partitionData: [{ index: 0, records: batchOf('a') }] },
      ],
    })
    assert.deepEqual(
      responses.map(({ name, partitionResponses }) => [name, partitionResponses[0]?.errorCode]),
      [
        ['orders', errors.none.code],
        ['nowhere', errors.unknownTopicOrPartition.code],
      ],
    )
  })

  for (const acks of [1, -1]) {
    test(`acks=${acks} is answered when the batch is on the device, not before`, async () => {
      let hold: Promise<void> | undefined
      const disk = new FaultyDisk({ now: () => 0, syncDelay: async () => hold })
      await using broker = await startTestBroker({ storage: { disk } })
      await using wire = await clientOf(broker)
      await makeTopic(wire, 'orders')
      const synced = Promise.withResolvers<void>()
      hold = synced.promise
      const asked = outcomeOf(wire, produceOf('orders', batchOf('a'), { acks }))
      await using other = await clientOf(broker)
      for (let turn = 0; turn < 5; turn++) await other.ask(ApiVersions, 3, client)
      assert.equal(wire.waiting, 1)
      synced.resolve()
      assert.equal((await asked).errorCode, errors.none.code)
    })
  }

  test('a batch that an idempotent producer sends again is stored once', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    await makeTopic(wire, 'orders')
    const { producerId } = await wire.ask(InitProducerId, 1, {
      transactionalId: null,
      transactionTimeoutMs: 0,
    })
    const record = { timestamp: 0n, value: new Uint8Array(3) }
    const batch = () =>
      produceOf(
        'orders',
        encodeBatch([record], { producerId, producerEpoch: 0, baseSequence: 0 }).bytes,
      )
    assert.equal((await outcomeOf(wire, batch())).baseOffset, 0n)
    const again = await outcomeOf(wire, batch())
    assert.deepEqual([again.errorCode, again.baseOffset], [errors.none.code, 0n])
    assert.equal((await outcomeOf(wire, produceOf('orders', batchOf('b')))).baseOffset, 1n)
  })

  test('a disk that fails is an error of the partition, and is told to the client', async () => {
    const disk = new FaultyDisk({ now: () => 0 })
    await using broker = await startTestBroker({ storage: { disk } })
    await using wire = await clientOf(broker)
    await makeTopic(wire, 'orders')
    disk.failNextSync()
    const outcome = await outcomeOf(wire, produceOf('orders', batchOf('a')))
    assert.equal(outcome.errorCode, errors.kafkaStorageError.code)
  })
})

describe('producer ids', () => {
  test('no id is given twice, whatever crashes', async () => {
    const given: bigint[] = []
    let disk = new FaultyDisk({ now: () => 0 })
    for (let life = 0; life < 3; life++) {
      const broker = await startTestBroker({ storage: { disk } })
      await using wire = await clientOf(broker)
      const request = { transactionalId: null, transactionTimeoutMs: 0 }
      const replies = [1, 2, 3].map(() => wire.ask(InitProducerId, 1, request))
      for (const reply of replies) given.push((await reply).producerId)
      disk = disk.crash()
      await broker.close().catch(() => {})
    }
    assert.equal(new Set(given).size, given.length)
  })

  test('a transactional id is refused with an error that no client retries', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    const reply = await wire.ask(InitProducerId, 1, {
      transactionalId: 'mine',
      transactionTimeoutMs: 0,
    })
    assert.equal(reply.errorCode, errors.transactionalIdAuthorizationFailed.code)
  })
})
