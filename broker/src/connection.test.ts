import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import {
  ApiVersions,
  encodeRequest,
  errors,
  Fetch,
  JoinGroup,
  joined,
  LeaveGroup,
  ListOffsets,
  Metadata,
  Produce,
} from '@millrace/wire'
import { batchOf, clientOf, makeTopic, produceOf, startTestBroker } from '../test/test-broker.ts'
import { requestsInFlightMax } from './limits.ts'
import type { ReadStrategy } from './socket-reader.ts'

const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
const strategies: readonly ReadStrategy[] = ['arena', 'chunks']

/** A member joins; an empty id asks for a new one. */
function joinOf(memberId: string) {
  const protocols = [{ name: 'range', metadata: new Uint8Array(0) }]
  const times = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 }
  return { groupId: 'group', ...times, memberId, protocolType: 'consumer', protocols }
}

/** A fetch that waits for a byte that does not come. */
function waitingFetch(topicId: string, maxWaitMs: number) {
  const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1000 }]
  return { maxWaitMs, minBytes: 1, isolationLevel: 0, topics: [{ topicId, partitions }] }
}

for (const reads of strategies) {
  describe(`a connection that reads by ${reads}`, () => {
    test('C1: replies leave in the order of requests, also when a later one is ready first', async () => {
      await using broker = await startTestBroker({ reads })
      await using member = await clientOf(broker)
      const { memberId } = await member.ask(JoinGroup, 3, joinOf(''))
      await using wire = await clientOf(broker)
      const slow = wire.ask(JoinGroup, 3, joinOf(''))
      const fast = wire.ask(ApiVersions, 3, client)
      await member.ask(ApiVersions, 3, client)
      assert.equal(wire.waiting, 2)
      await member.ask(LeaveGroup, 0, { groupId: 'group', memberId })
      assert.equal((await slow).errorCode, errors.none.code)
      await fast
    })

    test('a request that is held back is what it was, whatever is read meanwhile', async () => {
      await using broker = await startTestBroker({ reads })
      await using wire = await clientOf(broker)
      const topicId = await makeTopic(wire, 'orders')
      const release = Promise.withResolvers<void>()
      const held = Promise.withResolvers<void>()
      using _ = broker.intercept(Produce, async ({ proceed }) => {
        held.resolve()
        await release.promise
        return proceed()
      })
      const batch = batchOf('what it was')
      const first = wire.ask(Produce, 9, produceOf('orders', batch))
      await held.promise
      const rest = [1, 2, 3].map(() =>
        wire.ask(Metadata, 9, { topics: [{ name: 'x'.repeat(200) }] }),
      )
      await using other = await clientOf(broker)
      await other.ask(ApiVersions, 3, client)
      release.resolve()
      await Promise.all([first, ...rest])
      const { responses } = await wire.ask(Fetch, 13, waitingFetch(topicId, 1000))
      const stored = responses[0]?.partitions[0]?.records ?? new Uint8Array(0)
      assert.deepEqual(Buffer.from(stored.subarray(21)), Buffer.from(batch.subarray(21)))
    })

    test('C4: acks=0 gets no reply, and the replies behind it do not wait for one', async () => {
      await using broker = await startTestBroker({ reads })
      await using wire = await clientOf(broker)
      await makeTopic(wire, 'orders')
      wire.tell(Produce, 9, produceOf('orders', batchOf('one'), { acks: 0 }))
      const { topics } = await wire.ask(ListOffsets, 7, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
      })
      assert.equal(topics[0]?.partitions[0]?.errorCode, errors.none.code)
      await wire.ask(ApiVersions, 3, client)
    })

    test('acks=0 closes its connection when the batch is refused', async () => {
      await using broker = await startTestBroker({ reads })
      await using wire = await clientOf(broker)
      wire.tell(Produce, 9, produceOf('nowhere', batchOf('one'), { acks: 0 }))
      await wire.closed
    })

    test('C3: a malformed frame ends its connection after those before it, and no other', async () => {
      await using broker = await startTestBroker({ reads })
      await using wire = await clientOf(broker)
      await using bystander = await clientOf(broker)
      await makeTopic(bystander, 'orders')
      const envelope = { apiVersion: 9, correlationId: 1, clientId: null }
      const good = joined(encodeRequest(Produce, envelope, produceOf('orders', batchOf('kept'))))
      wire.socket.write(Buffer.concat([good, Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3])]))
      await wire.closed
      const { topics } = await bystander.ask(ListOffsets, 7, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
      })
      assert.equal(topics[0]?.partitions[0]?.offset, 1n)
    })

    test('a request may come byte by byte', async () => {
      await using broker = await startTestBroker({ reads })
      await using wire = await clientOf(broker)
      wire.socket.setNoDelay(true)
      const envelope = { apiVersion: 0, correlationId: 77, clientId: null }
      const bytes = joined(encodeRequest(ApiVersions, envelope, {}))
      for (const byte of bytes.subarray(0, -1)) {
        wire.socket.write(Uint8Array.of(byte))
        await new Promise(setImmediate)
      }
      const reply = await wire.askRaw(bytes.subarray(-1))
      assert.equal(reply.readInt32BE(0), 77)
    })

    test('many large requests at once are stored as they were sent', async () => {
      await using broker = await startTestBroker({ reads })
      await using wire = await clientOf(broker)
      await makeTopic(wire, 'orders')
      const values = Array.from({ length: 40 }, (_, index) => `${index}`.repeat(20_000))
      const replies = await Promise.all(
        values.map((value) => wire.ask(Produce, 9, produceOf('orders', batchOf(value)))),
      )
      const offsets = replies.map(
        ({ responses }) => responses[0]?.partitionResponses[0]?.baseOffset,
      )
      assert.deepEqual(
        offsets,
        values.map((_, index) => BigInt(index)),
      )
    })
  })
}

describe('C2: what one client can make the broker hold', () => {
  test('requests past the limit are not looked at before a reply has left', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    const waiting = Promise.withResolvers<void>()
    let seen = 0
    using _ = broker.intercept(Metadata, async ({ proceed }) => {
      seen += 1
      await waiting.promise
      return proceed()
    })
    const asked = Array.from({ length: requestsInFlightMax * 2 }, () =>
      wire.ask(Metadata, 9, { topics: [] }),
    )
    await using other = await clientOf(broker)
    await other.ask(ApiVersions, 3, client)
    assert.equal(seen, 1, 'an intercepted request holds those behind it back')
    waiting.resolve()
    await Promise.all(asked)
    assert.equal(seen, asked.length)
  })

  test('all of a read is answered, however many requests it holds', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    wire.socket.cork()
    const asked = Array.from({ length: requestsInFlightMax * 2 }, () =>
      wire.ask(ApiVersions, 3, client),
    )
    wire.socket.uncork()
    await Promise.all(asked)
  })

  test('fetches of one read that find much are not all answered before replies leave', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    const topicId = await makeTopic(wire, 'orders')
    await wire.ask(Produce, 9, produceOf('orders', batchOf('x'.repeat(1_000_000))))
    const wanted = { partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000_000 }
    const topics = [{ topicId, partitions: [wanted, wanted, wanted, wanted] }]
    const bytesBefore = process.memoryUsage().arrayBuffers
    wire.socket.pause()
    wire.socket.cork()
    const asked = Array.from({ length: 100 }, () =>
      wire.ask(Fetch, 13, { ...waitingFetch(topicId, 0), topics }),
    )
    wire.socket.uncork()
    await using other = await clientOf(broker)
    await other.ask(ApiVersions, 3, client)
    const heldBytes = process.memoryUsage().arrayBuffers - bytesBefore
    assert.ok(heldBytes < 50_000_000, `${heldBytes} bytes are held`)
    wire.socket.resume()
    await Promise.all(asked)
  })

  test('a slow reader gets everything, and its replies do not pile up meanwhile', async () => {
    await using broker = await startTestBroker()
    await using producer = await clientOf(broker)
    const topicId = await makeTopic(producer, 'orders')
    const value = 'x'.repeat(500_000)
    await producer.ask(Produce, 9, produceOf('orders', batchOf(value)))
    await using reader = await clientOf(broker)
    reader.socket.pause()
    const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000_000 }]
    const request = {
      maxWaitMs: 0,
      minBytes: 0,
      isolationLevel: 0,
      topics: [{ topicId, partitions }],
    }
    let fetched = 0
    using _ = broker.intercept(Fetch, async ({ proceed }) => {
      fetched += 1
      return proceed()
    })
    const asked = Array.from({ length: 100 }, () => reader.ask(Fetch, 13, request))
    for (let turn = 0; turn < 200; turn++) await producer.ask(ApiVersions, 3, client)
    assert.ok(fetched < asked.length, `${fetched} fetches were answered that nobody read`)
    reader.socket.resume()
    for (const reply of await Promise.all(asked)) {
      assert.ok((reply.responses[0]?.partitions[0]?.records?.byteLength ?? 0) > value.length)
    }
  })

  test('a fetch of a client that has gone does not wait on', async () => {
    await using broker = await startTestBroker()
    await using producer = await clientOf(broker)
    const topicId = await makeTopic(producer, 'orders')
    const leaving = await clientOf(broker)
    leaving.tell(Fetch, 13, waitingFetch(topicId, 2_147_483_647))
    leaving.socket.end()
    await leaving.closed
    await producer.ask(Produce, 9, produceOf('orders', batchOf('one')))
  })
})

describe('hostile bytes', () => {
  const hostile: Readonly<Record<string, readonly number[]>> = {
    'a negative length': [0x80, 0, 0, 0],
    'a length beyond the limit': [0x7f, 0xff, 0xff, 0xff],
    'a length too short for a header': [0, 0, 0, 3, 0, 18, 0],
    'an API that there is not': [0, 0, 0, 10, 0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff],
    'a negative API': [0, 0, 0, 10, 0xff, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff],
    'a version of Metadata that there is not': [0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff],
    'a body that ends early': [0, 0, 0, 12, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0, 0],
    'a huge count of topics': [
      0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff,
    ],
    'a client id longer than the frame': [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0x7f, 0xff],
    'the hello of TLS': [0x16, 0x03, 0x01, 0x02, 0, 1, 0, 1, 0xfc, 3, 3],
    'a request of HTTP': [...Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  }
  for (const [what, bytes] of Object.entries(hostile)) {
    test(`${what} closes the connection, and the broker lives on`, async () => {
      await using broker = await startTestBroker()
      await using wire = await clientOf(broker)
      wire.socket.write(Uint8Array.from(bytes))
      await wire.closed
      await using next = await clientOf(broker)
      const reply = await next.ask(ApiVersions, 3, client)
      assert.equal(reply.errorCode, errors.none.code)
    })
  }

  test('half a frame, and then nothing, waits for nobody', async () => {
    await using broker = await startTestBroker()
    await using wire = await clientOf(broker)
    wire.socket.end(Uint8Array.of(0, 0, 1, 0, 0, 18))
    await once(wire.socket, 'close')
    await using next = await clientOf(broker)
    await next.ask(ApiVersions, 3, client)
  })
})
