// kafkajs against the broker: what a user of it does, over real sockets.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CompressionTypes, type Consumer, Kafka, logLevel } from 'kafkajs'
import { type Clock, systemClock } from '../src/clock.ts'
import { MemoryDisk } from '../src/disk/memory-disk.ts'
import { emptyDirectory } from '../src/disk/memory-tree.ts'
import { compactionCheckIntervalMs } from '../src/limits.ts'
import { type Broker, type BrokerOptions, startBroker } from '../src/start-broker.ts'

// Bounds every test: a client that does not understand the broker waits for ever.
const timeout = 30_000

async function stage(options: BrokerOptions = {}) {
  const stack = new AsyncDisposableStack()
  const broker = stack.use(await startBroker({ numPartitions: 3, ...options }))
  const kafka = kafkaOf(broker)
  const producer = kafka.producer({ allowAutoTopicCreation: true })
  await producer.connect()
  stack.defer(() => producer.disconnect())
  /** A consumer that is disconnected when the test ends. */
  const consumer = async (groupId: string): Promise<Consumer> => {
    // It heartbeats between two fetches only, so that a long wait makes a long rebalance.
    const times = { sessionTimeout: 10_000, heartbeatInterval: 200, maxWaitTimeInMs: 200 }
    const member = kafka.consumer({ groupId, ...times })
    await member.connect()
    stack.defer(() => member.disconnect())
    return member
  }
  return { broker, kafka, producer, consumer, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

function kafkaOf(broker: Broker): Kafka {
  return new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
}

/** Collects the values that consumers see, and says when there are so many. */
class Values {
  readonly seen: string[] = []
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = []

  add(value: Buffer | null): void {
    this.seen.push(String(value))
    for (const { count, resolve } of this.#waiting) if (this.seen.length >= count) resolve()
  }

  async until(count: number): Promise<readonly string[]> {
    if (this.seen.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push({ count, resolve })
      await promise
    }
    return this.seen.toSorted()
  }
}

async function readAll(consumer: Consumer, topic: string, values: Values): Promise<void> {
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => values.add(message.value) })
}

describe('kafkajs', { timeout, concurrency: true }, () => {
  test('produces to a topic that is not there yet, and consumes all of it', async () => {
    await using at = await stage()
    const messages = ['a', 'b', 'c', 'd'].map((value) => ({ key: value, value }))
    await at.producer.send({ topic: 'orders', messages })
    const values = new Values()
    await readAll(await at.consumer('group'), 'orders', values)
    assert.deepEqual(await values.until(4), ['a', 'b', 'c', 'd'])
  })

  test('reads back what it compressed', async () => {
    await using at = await stage()
    const value = 'compressible '.repeat(1000)
    await at.producer.send({
      topic: 'orders',
      compression: CompressionTypes.GZIP,
      messages: [{ value }],
    })
    const values = new Values()
    await readAll(await at.consumer('group'), 'orders', values)
    assert.deepEqual(await values.until(1), [value])
  })

  test('produces idempotently, and keeps the order of a key', async () => {
    await using at = await stage()
    const producer = at.kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (let index = 0; index < 20; index++) {
      await producer.send({ topic: 'orders', messages: [{ key: 'one', value: `${index}` }] })
    }
    await producer.disconnect()
    const values = new Values()
    await readAll(await at.consumer('group'), 'orders', values)
    await values.until(20)
    assert.deepEqual(
      values.seen,
      Array.from({ length: 20 }, (_, index) => `${index}`),
    )
  })

  test('three members share three partitions, and two take over when one leaves', async () => {
    await using at = await stage()
    await at.producer.send({ topic: 'orders', messages: [{ value: 'first' }] })
    const values = new Values()
    const members = await Promise.all([1, 2, 3].map(() => at.consumer('group')))
    for (const member of members) await readAll(member, 'orders', values)
    const admin = at.kafka.admin()
    await admin.connect()
    const assigned = async (): Promise<number> => {
      const { groups } = await admin.describeGroups(['group'])
      const stable = groups.filter(({ state }) => state === 'Stable')
      return stable.flatMap(({ members }) => members).length
    }
    while ((await assigned()) !== 3);
    await members[0]?.disconnect()
    while ((await assigned()) !== 2);
    const messages = [0, 1, 2].map((partition) => ({ partition, value: `to ${partition}` }))
    await at.producer.send({ topic: 'orders', messages })
    assert.deepEqual(await values.until(4), ['first', 'to 0', 'to 1', 'to 2'])
    await admin.disconnect()
  })

  test('finds everything after a restart: records, offsets, and where its group stopped', async () => {
    const disk = new MemoryDisk(() => 0, emptyDirectory())
    {
      await using at = await stage({ storage: { disk }, numPartitions: 1 })
      await at.producer.send({ topic: 'orders', messages: [{ value: 'a' }, { value: 'b' }] })
      const values = new Values()
      const consumer = await at.consumer('group')
      await readAll(consumer, 'orders', values)
      await values.until(2)
      await consumer.commitOffsets([{ topic: 'orders', partition: 0, offset: '2' }])
    }
    await using at = await stage({ storage: { disk }, numPartitions: 1 })
    const admin = at.kafka.admin()
    await admin.connect()
    const [topic] = await admin.fetchOffsets({ groupId: 'group', topics: ['orders'] })
    assert.deepEqual(topic?.partitions, [{ partition: 0, offset: '2', metadata: null }])
    await admin.disconnect()
    await at.producer.send({ topic: 'orders', messages: [{ value: 'c' }] })
    const values = new Values()
    await readAll(await at.consumer('group'), 'orders', values)
    assert.deepEqual(await values.until(1), ['c'])
  })

  test('reads a compacted topic: of each key the last, also where whole segments are gone', async () => {
    // Compaction comes round at once; all other timers keep their time.
    const clock: Clock = {
      ...systemClock,
      after: (delayMs, fire) =>
        systemClock.after(delayMs === compactionCheckIntervalMs ? 20 : delayMs, fire),
    }
    await using at = await stage({ clock })
    const admin = at.kafka.admin()
    await admin.connect()
    const configEntries = [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'segment.bytes', value: '500' },
    ]
    await admin.createTopics({ topics: [{ topic: 'latest', numPartitions: 1, configEntries }] })
    await admin.disconnect()
    for (let round = 0; round < 60; round++) {
      const messages = ['a', 'b'].map((key) => ({ key, value: `${key}${round}` }))
      await at.producer.send({ topic: 'latest', messages })
    }
    for (let attempt = 1; ; attempt++) {
      const values = new Values()
      await readAll(await at.consumer(`group-${attempt}`), 'latest', values)
      while (values.seen.at(-1) !== 'b59') await values.until(values.seen.length + 1)
      assert.ok(values.seen.includes('a59'))
      if (values.seen.length < 20) return // Until then compaction was still at it.
    }
  })

  test('administers topics, configs, offsets and groups', async () => {
    await using at = await stage()
    const admin = at.kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 2 }] })
    await admin.createPartitions({ topicPartitions: [{ topic: 'orders', count: 3 }] })
    const { topics } = await admin.fetchTopicMetadata({ topics: ['orders'] })
    assert.equal(topics[0]?.partitions.length, 3)
    const messages = [{ partition: 0, value: 'a', timestamp: '1000' }]
    await at.producer.send({ topic: 'orders', messages })
    const at1000 = await admin.fetchTopicOffsetsByTimestamp('orders', 1000)
    assert.equal(at1000.find(({ partition }) => partition === 0)?.offset, '0')
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ type: 2, name: 'orders', configNames: ['retention.ms'] }],
    })
    assert.equal(resources[0]?.configEntries[0]?.configValue, '604800000')
    await admin.deleteTopicRecords({ topic: 'orders', partitions: [{ partition: 0, offset: '1' }] })
    const [first] = await admin.fetchTopicOffsets('orders')
    assert.equal(first?.low, '1')
    await admin.deleteTopics({ topics: ['orders'] })
    assert.deepEqual(await admin.listTopics(), [])
    await admin.disconnect()
  })
})
