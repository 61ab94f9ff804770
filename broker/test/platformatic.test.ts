// @platformatic/kafka, the kit's client, against the broker: what a user of it does, over real
// sockets, with the newest versions of every API that it has.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { errors, Heartbeat } from '@millrace/wire'
import {
  Admin,
  type CompressionAlgorithmValue,
  Consumer,
  type ConsumerOptions,
  MessagesStreamModes,
  ProduceAcks,
  Producer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import { type BrokerOptions, startBroker } from '../src/start-broker.ts'

const timeout = 30_000

type TextConsumer = Consumer<string, string, string, string>

async function stage(options: BrokerOptions = {}) {
  const stack = new AsyncDisposableStack()
  const broker = stack.use(await startBroker({ numPartitions: 3, ...options }))
  const connection = { clientId: 'test', bootstrapBrokers: [broker.bootstrap] }
  const producer = new Producer({
    ...connection,
    serializers: stringSerializers,
    idempotent: true,
    acks: ProduceAcks.ALL,
    autocreateTopics: true,
  })
  stack.defer(() => producer.close())
  const admin = new Admin(connection)
  stack.defer(() => admin.close())
  const consumer = (
    options: Partial<ConsumerOptions<string, string, string, string>> = {},
  ): TextConsumer => {
    const member: TextConsumer = new Consumer({
      ...connection,
      groupId: 'group',
      deserializers: stringDeserializers,
      autocommit: false,
      maxWaitTime: 200,
      sessionTimeout: 10_000,
      heartbeatInterval: 200,
      ...options,
    })
    stack.defer(() => member.close(true))
    return member
  }
  const send = (...values: readonly string[]) =>
    producer.send({ messages: values.map((value) => ({ topic: 'orders', key: value, value })) })
  return {
    broker,
    producer,
    admin,
    consumer,
    send,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Reads so many values, committing each, and leaves the stream. */
async function read(consumer: TextConsumer, count: number): Promise<readonly string[]> {
  const stream = await consumer.consume({
    topics: ['orders'],
    mode: MessagesStreamModes.COMMITTED,
    fallbackMode: 'earliest',
  })
  const values: string[] = []
  for await (const message of stream) {
    values.push(message.value)
    await message.commit()
    if (values.length === count) break
  }
  await stream.close()
  return values.toSorted()
}

/** How many partitions a member holds. */
function partitionsOf(assignments: TextConsumer['assignments']): number {
  return (assignments ?? []).reduce((sum, { partitions }) => sum + partitions.length, 0)
}

describe('@platformatic/kafka', { timeout, concurrency: true }, () => {
  test('produces idempotently to a topic that is not there yet, and consumes all of it', async () => {
    await using at = await stage()
    await at.send('a', 'b', 'c', 'd')
    assert.deepEqual(await read(at.consumer(), 4), ['a', 'b', 'c', 'd'])
  })

  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    test(`reads back what it compressed with ${compression}`, async () => {
      await using at = await stage()
      const value = 'compressible '.repeat(1000)
      await at.producer.send({
        messages: [{ topic: 'orders', key: 'key', value }],
        compression: compression satisfies CompressionAlgorithmValue,
      })
      assert.deepEqual(await read(at.consumer(), 1), [value])
    })
  }

  for (const protocol of ['roundrobin', 'cooperative-sticky']) {
    test(`three members share three partitions by ${protocol}`, async () => {
      await using at = await stage()
      await at.admin.createTopics({ topics: ['orders'], partitions: 3, replicas: 1 })
      const seen = new Map<TextConsumer, string[]>()
      const streams: { close(): Promise<unknown> }[] = []
      for (let count = 1; count <= 3; count++) {
        const member = at.consumer({ protocols: [{ name: protocol, version: 1 }] })
        const values: string[] = []
        seen.set(member, values)
        const stream = await member.consume({ topics: ['orders'], mode: 'earliest' })
        stream.on('data', ({ value }) => values.push(value))
        streams.push(stream)
      }
      const shares = () => [...seen.keys()].map(({ assignments }) => partitionsOf(assignments))
      while (!shares().every((share) => share === 1)) await at.admin.listTopics()
      const messages = [0, 1, 2].map((partition) => ({
        topic: 'orders',
        partition,
        key: '',
        value: 'a',
      }))
      await at.producer.send({ messages })
      while (![...seen.values()].every(({ length }) => length === 1))
        await new Promise(setImmediate)
      // A stream whose member is closed under it fails with "Connection closed".
      for (const stream of streams) await stream.close()
    })
  }

  test('a static member that restarts goes on where it was, without a rebalance', async () => {
    await using at = await stage()
    await at.send('a')
    const first = at.consumer({ groupInstanceId: 'one' })
    assert.deepEqual(await read(first, 1), ['a'])
    const { generationId } = first
    await at.send('b')
    const second = at.consumer({ groupInstanceId: 'one' })
    assert.deepEqual(await read(second, 1), ['b'])
    assert.equal(second.generationId, generationId)
  })

  test('a member that is told of a rebalance joins again', async () => {
    await using at = await stage()
    await at.send('a')
    const consumer = at.consumer()
    const stream = await consumer.consume({
      topics: ['orders'],
      mode: MessagesStreamModes.EARLIEST,
    })
    const rejoined = new Promise((resolve) => consumer.once('consumer:group:join', resolve))
    {
      const refused = Promise.withResolvers<void>()
      using _ = at.broker.intercept(Heartbeat, async () => {
        refused.resolve()
        return { errorCode: errors.rebalanceInProgress.code }
      })
      await refused.promise
    }
    await rejoined
    await stream.close()
  })

  test('finds its data directory as it left it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-broker-'))
    try {
      {
        await using at = await stage({ storage: { directory } })
        await at.send('a', 'b')
        assert.deepEqual(await read(at.consumer(), 2), ['a', 'b'])
      }
      await using at = await stage({ storage: { directory } })
      await at.send('c')
      assert.deepEqual(await read(at.consumer(), 1), ['c'])
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})
