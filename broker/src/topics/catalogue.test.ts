import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CreatePartitions, CreateTopics, DeleteTopics, errors, Metadata } from '@millrace/wire'
import { clientOf, makeTopic, produce, startTestBroker } from '../../test/test-broker.ts'
import type { WireClient } from '../../test/wire-client.ts'
import { FaultyDisk } from '../disk/faulty-disk.ts'
import type { BrokerOptions } from '../start-broker.ts'

async function stage(disk: FaultyDisk, options: BrokerOptions = {}) {
  const stack = new AsyncDisposableStack()
  const broker = await startTestBroker({ storage: { disk }, ...options })
  stack.defer(() => broker.close().catch(() => {}))
  const wire = stack.use(await clientOf(broker))
  return { broker, wire, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** Name, id and number of partitions of every topic. */
async function topicsOf(wire: WireClient) {
  const { topics } = await wire.ask(Metadata, 12, { topics: null })
  return topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    count: partitions.length,
  }))
}

const newDisk = () => new FaultyDisk({ now: () => 0 })

describe('topics', () => {
  test('are there after a crash, with their ids, partitions and configs', async () => {
    const disk = newDisk()
    await using first = await stage(disk)
    const topicId = await makeTopic(first.wire, 'orders', { partitions: 2 })
    await first.wire.ask(CreatePartitions, 2, {
      topics: [{ name: 'orders', count: 3, assignments: null }],
      timeoutMs: 1000,
      validateOnly: false,
    })
    await using second = await stage(disk.crash())
    assert.deepEqual(await topicsOf(second.wire), [{ name: 'orders', topicId, count: 3 }])
    assert.equal(await produce(second.wire, 'orders', 'a'), 0n)
  })

  test('are not read again after a second crash, and damage to them is no torn tail', async () => {
    const disk = newDisk()
    await using first = await stage(disk)
    await makeTopic(first.wire, 'orders')
    await produce(first.wire, 'orders', 'a')
    const crashed = disk.crash()
    await using _ = await stage(crashed)
    const damaged = crashed.crash()
    damaged.open('orders-0/00000000000000000000.log').truncate(20)
    await assert.rejects(stage(damaged), { name: 'LogDamagedError' })
  })

  test('made under one name twice have different ids, and the second is empty', async () => {
    await using at = await stage(newDisk())
    const first = await makeTopic(at.wire, 'orders')
    await produce(at.wire, 'orders', 'a')
    await at.wire.ask(DeleteTopics, 5, { topicNames: ['orders'], timeoutMs: 1000 })
    assert.notEqual(await makeTopic(at.wire, 'orders'), first)
    assert.equal(await produce(at.wire, 'orders', 'a'), 0n)
  })

  test('that are asked for by many at once are made once', async () => {
    await using at = await stage(newDisk(), { numPartitions: 4 })
    const asked = Array.from({ length: 10 }, () =>
      at.wire.ask(Metadata, 12, { topics: [{ name: 'orders' }] }),
    )
    const ids = (await Promise.all(asked)).map(({ topics }) => topics[0]?.topicId)
    assert.equal(new Set(ids).size, 1)
    assert.deepEqual(await topicsOf(at.wire), [{ name: 'orders', topicId: ids[0], count: 4 }])
  })

  test('are not made when the client or the broker forbids it', async () => {
    await using at = await stage(newDisk())
    await using strict = await stage(newDisk(), { autoCreateTopics: false })
    const forbidden = { topics: [{ name: 'orders' }], allowAutoTopicCreation: false }
    const allowed = { ...forbidden, allowAutoTopicCreation: true }
    for (const { topics } of [
      await at.wire.ask(Metadata, 12, forbidden),
      await strict.wire.ask(Metadata, 12, allowed),
    ]) {
      assert.equal(topics[0]?.errorCode, errors.unknownTopicOrPartition.code)
    }
    assert.deepEqual(await topicsOf(at.wire), [])
  })

  test('with a name that is none are not made, and the reason is told', async () => {
    await using at = await stage(newDisk())
    const { topics } = await at.wire.ask(Metadata, 12, { topics: [{ name: 'a/b' }] })
    assert.equal(topics[0]?.errorCode, errors.invalidTopicException.code)
  })

  test('whose name collides with another in metrics are not made, and no client waits for them', async () => {
    await using at = await stage(newDisk())
    await makeTopic(at.wire, 'my.topic')
    const { topics } = await at.wire.ask(Metadata, 12, { topics: [{ name: 'my_topic' }] })
    assert.equal(topics[0]?.errorCode, errors.invalidTopicException.code)
  })

  test('that do not fit on the disk are refused, and can be made when they do', async () => {
    const disk = newDisk()
    await using at = await stage(disk)
    disk.failNextWrite('full')
    await assert.rejects(makeTopic(at.wire, 'orders'))
    await makeTopic(at.wire, 'orders')
  })
})

describe('a crash at any sync', () => {
  interface Life {
    /** What the client was told is done. */
    readonly acknowledged: Set<string>
    readonly disk: FaultyDisk
  }

  /** Makes, grows and deletes topics until the power fails at the sync of that number. */
  async function lifeUntil(sync: number): Promise<Life & { readonly isOver: boolean }> {
    const acknowledged = new Set<string>()
    const crashed: { disk?: FaultyDisk } = {}
    let syncs = 0
    const disk: FaultyDisk = new FaultyDisk({
      now: () => 0,
      syncDelay: async () => {
        syncs += 1
        if (syncs === sync) crashed.disk = disk.crash()
      },
    })
    try {
      await using at = await stage(disk)
      await makeTopic(at.wire, 'kept', { partitions: 2 })
      if (crashed.disk === undefined) acknowledged.add('kept')
      await makeTopic(at.wire, 'gone')
      await at.wire.ask(DeleteTopics, 5, { topicNames: ['gone'], timeoutMs: 1000 })
      if (crashed.disk === undefined) acknowledged.add('gone is gone')
      await produce(at.wire, 'kept', 'a')
      if (crashed.disk === undefined) acknowledged.add('a record')
    } catch {
      // The disk is dead: what the client was told before is what counts.
    }
    return { acknowledged, disk: crashed.disk ?? disk.crash(), isOver: crashed.disk === undefined }
  }

  test('K1, K2: leaves a data directory that opens, with everything that was acknowledged', async () => {
    for (let sync = 1; ; sync++) {
      const { acknowledged, disk, isOver } = await lifeUntil(sync)
      await using after = await stage(disk)
      const names = (await topicsOf(after.wire)).map(({ name }) => name)
      const where = `crash at sync ${sync}`
      if (acknowledged.has('kept')) assert.ok(names.includes('kept'), where)
      if (acknowledged.has('gone is gone')) assert.ok(!names.includes('gone'), where)
      if (acknowledged.has('a record')) assert.equal(await produce(after.wire, 'kept', 'b'), 1n)
      for (const name of ['kept', 'gone', 'new']) {
        if (!names.includes(name)) await makeTopic(after.wire, name)
      }
      if (isOver) break
    }
  })
})

describe('which topics may be made', () => {
  const wish = { name: 'new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const refusals = [
    ['an empty name', { name: '' }, errors.invalidTopicException],
    ['a name with a slash', { name: 'a/b' }, errors.invalidTopicException],
    ['a name of dots', { name: '..' }, errors.invalidTopicException],
    ['a name of 250 characters', { name: 'x'.repeat(250) }, errors.invalidTopicException],
    ['a name that collides in metrics', { name: 'my_topic' }, errors.invalidTopicException],
    ['a name that there is', { name: 'my.topic' }, errors.topicAlreadyExists],
    ['no partitions', { numPartitions: 0 }, errors.invalidPartitions],
    ['too many partitions', { numPartitions: 1_000_000 }, errors.invalidPartitions],
    ['three replicas', { replicationFactor: 3 }, errors.invalidReplicationFactor],
    ['an unknown config', { configs: [{ name: 'speed', value: '1' }] }, errors.invalidConfig],
    [
      'a config with a wrong value',
      { configs: [{ name: 'retention.ms', value: 'long' }] },
      errors.invalidConfig,
    ],
    [
      'an assignment beside a number of partitions',
      { assignments: [{ partitionIndex: 0, brokerIds: [1] }] },
      errors.invalidRequest,
    ],
    [
      'an assignment with a gap',
      {
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 1, brokerIds: [1] }],
      },
      errors.invalidReplicaAssignment,
    ],
  ] as const
  for (const [what, change, error] of refusals) {
    test(`not one with ${what}`, async () => {
      await using at = await stage(newDisk())
      await makeTopic(at.wire, 'my.topic')
      const request = { topics: [{ ...wish, ...change }], validateOnly: false }
      const { topics } = await at.wire.ask(CreateTopics, 7, request)
      assert.equal(topics[0]?.errorCode, error.code)
      assert.ok((topics[0].errorMessage ?? '').length > 10)
      assert.equal((await topicsOf(at.wire)).length, 1)
    })
  }

  test('one with the defaults, which the answer tells', async () => {
    await using at = await stage(newDisk(), {
      numPartitions: 3,
      topicDefaults: { 'retention.ms': '5' },
    })
    const { topics } = await at.wire.ask(CreateTopics, 7, {
      topics: [{ ...wish, numPartitions: -1, replicationFactor: -1 }],
      validateOnly: false,
    })
    const [topic] = topics
    assert.deepEqual([topic?.numPartitions, topic?.replicationFactor], [3, 1])
    const retention = topic?.configs?.find(({ name }) => name === 'retention.ms')
    assert.deepEqual([retention?.value, retention?.configSource], ['5', 4])
  })

  test('none when the request only wants to know', async () => {
    await using at = await stage(newDisk())
    const { topics } = await at.wire.ask(CreateTopics, 7, { topics: [wish], validateOnly: true })
    assert.equal(topics[0]?.errorCode, errors.none.code)
    assert.deepEqual(await topicsOf(at.wire), [])
  })
})
