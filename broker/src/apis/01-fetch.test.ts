import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ApiVersions,
  batchesIn,
  DeleteRecords,
  DeleteTopics,
  errors,
  Fetch,
  type FetchResponse,
  recordsIn,
} from '@millrace/wire'
import { HandMovedClock } from '../../test/hand-moved-clock.ts'
import { clientOf, makeTopic, produce, startTestBroker } from '../../test/test-broker.ts'
import type { WireClient } from '../../test/wire-client.ts'

const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }

interface Wish {
  readonly topicId: string
  readonly offset?: bigint
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly partitionMaxBytes?: number
  readonly partitions?: readonly number[]
  readonly sessionId?: number
  readonly sessionEpoch?: number
  readonly currentLeaderEpoch?: number
  readonly isolationLevel?: number
}

function fetchOf({ topicId, partitions = [0], ...wish }: Wish) {
  return {
    maxWaitMs: wish.maxWaitMs ?? 0,
    minBytes: wish.minBytes ?? 1,
    maxBytes: wish.maxBytes ?? 1_000_000,
    isolationLevel: wish.isolationLevel ?? 0,
    sessionId: wish.sessionId ?? 0,
    sessionEpoch: wish.sessionEpoch ?? -1,
    topics: [
      {
        topicId,
        partitions: partitions.map((partition) => ({
          partition,
          fetchOffset: wish.offset ?? 0n,
          partitionMaxBytes: wish.partitionMaxBytes ?? 1_000_000,
          currentLeaderEpoch: wish.currentLeaderEpoch ?? -1,
        })),
      },
    ],
  }
}

/** The values of all records of a reply, and their offsets: `0:a`. */
function recordsOf({ responses }: FetchResponse): readonly string[] {
  const partitions = responses.flatMap(({ partitions }) => partitions)
  return partitions.flatMap(({ records }) =>
    [...batchesIn(records ?? new Uint8Array(0))].flatMap((outcome) => {
      assert.ok(outcome.kind === 'batch')
      return [...recordsIn(outcome.batch)].map(
        ({ offset, value }) => `${offset}:${new TextDecoder().decode(value ?? undefined)}`,
      )
    }),
  )
}

function partitionOf({ responses }: FetchResponse) {
  const partition = responses[0]?.partitions[0]
  assert.ok(partition !== undefined)
  return partition
}

/** The broker has handled everything that `wire` sent before. */
async function handled(wire: WireClient, other: WireClient): Promise<void> {
  assert.ok(wire.waiting > 0)
  for (let turn = 0; turn < 3; turn++) await other.ask(ApiVersions, 3, client)
}

async function stage(values: readonly string[] = []) {
  const clock = new HandMovedClock()
  const stack = new AsyncDisposableStack()
  const broker = stack.use(await startTestBroker({ clock }))
  const wire = stack.use(await clientOf(broker))
  const other = stack.use(await clientOf(broker))
  const topicId = await makeTopic(other, 'orders', { partitions: 2 })
  for (const value of values) await produce(other, 'orders', value)
  return { clock, broker, wire, other, topicId, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

describe('what a fetch gives', () => {
  test('records from the offset on, and where the log begins and ends', async () => {
    await using at = await stage(['a', 'b', 'c'])
    const reply = await at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId, offset: 1n }))
    assert.deepEqual(recordsOf(reply), ['1:b', '2:c'])
    const { highWatermark, lastStableOffset, logStartOffset } = partitionOf(reply)
    assert.deepEqual([highWatermark, lastStableOffset, logStartOffset], [3n, 3n, 0n])
  })

  test('the whole batch when the offset is inside of one', async () => {
    await using at = await stage()
    await produce(at.other, 'orders', 'a', 'b', 'c')
    const reply = await at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId, offset: 2n }))
    assert.deepEqual(recordsOf(reply), ['0:a', '1:b', '2:c'])
  })

  test('a first batch that is larger than every limit, and none after it', async () => {
    await using at = await stage(['a'.repeat(1000), 'b'])
    const wish = { topicId: at.topicId, maxBytes: 1, partitionMaxBytes: 1 }
    const reply = await at.wire.ask(Fetch, 13, fetchOf(wish))
    assert.deepEqual(recordsOf(reply), [`0:${'a'.repeat(1000)}`])
  })

  test('no second partition when the first has used the limit up', async () => {
    await using at = await stage(['a'])
    const second = await at.other.ask(
      Fetch,
      13,
      fetchOf({ topicId: at.topicId, partitions: [1, 0] }),
    )
    assert.deepEqual(recordsOf(second), ['0:a'])
    const wish = { topicId: at.topicId, partitions: [0, 0], maxBytes: 80 }
    assert.deepEqual(recordsOf(await at.wire.ask(Fetch, 13, fetchOf(wish))), ['0:a'])
  })

  test('nothing, without an error, at the end of the log', async () => {
    await using at = await stage(['a'])
    const reply = await at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId, offset: 1n }))
    assert.equal(partitionOf(reply).errorCode, errors.none.code)
    assert.deepEqual(recordsOf(reply), [])
  })

  test('a list of aborted transactions, which is empty, to who reads the committed', async () => {
    await using at = await stage(['a'])
    const plain = await at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId }))
    assert.equal(partitionOf(plain).abortedTransactions, null)
    const wish = { topicId: at.topicId, isolationLevel: 1 }
    const committed = await at.wire.ask(Fetch, 13, fetchOf(wish))
    assert.deepEqual(partitionOf(committed).abortedTransactions, [])
  })
})

describe('what a fetch is refused', () => {
  test('an offset beyond the end, with the real ends of the log', async () => {
    await using at = await stage(['a'])
    const reply = await at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId, offset: 5n }))
    const { errorCode, highWatermark, logStartOffset } = partitionOf(reply)
    assert.deepEqual([errorCode, highWatermark, logStartOffset], [1, 1n, 0n])
  })

  test('an offset that was deleted', async () => {
    await using at = await stage(['a', 'b'])
    const partitions = [{ partitionIndex: 0, offset: 1n }]
    await at.other.ask(DeleteRecords, 2, { topics: [{ name: 'orders', partitions }], timeoutMs: 0 })
    const reply = await at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId }))
    const { errorCode, logStartOffset } = partitionOf(reply)
    assert.deepEqual([errorCode, logStartOffset], [errors.offsetOutOfRange.code, 1n])
  })

  const refusals = [
    ['an id that no topic has', { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }, errors.unknownTopicId],
    ['a partition that there is not', { partitions: [9] }, errors.unknownTopicOrPartition],
    ['a leader epoch of the future', { currentLeaderEpoch: 7 }, errors.unknownLeaderEpoch],
  ] as const
  for (const [what, wish, error] of refusals) {
    test(`${what}, at once`, async () => {
      await using at = await stage()
      const request = fetchOf({ topicId: at.topicId, maxWaitMs: 60_000, ...wish })
      const reply = await at.wire.ask(Fetch, 13, request)
      assert.equal(partitionOf(reply).errorCode, error.code)
    })
  }

  test('a session that the broker never gave', async () => {
    await using at = await stage()
    const wish = { topicId: at.topicId, sessionId: 3, sessionEpoch: 4 }
    const reply = await at.wire.ask(Fetch, 13, fetchOf(wish))
    assert.equal(reply.errorCode, errors.fetchSessionIdNotFound.code)
  })

  test('nothing to who begins a session: it gets session 0, which is none', async () => {
    await using at = await stage(['a'])
    const reply = await at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId, sessionEpoch: 0 }))
    assert.equal(reply.sessionId, 0)
    assert.deepEqual(recordsOf(reply), ['0:a'])
  })
})

describe('a fetch that waits', () => {
  test('is answered when its time is up, with nothing', async () => {
    await using at = await stage()
    const asked = at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId, maxWaitMs: 500 }))
    await handled(at.wire, at.other)
    at.clock.pass(499)
    await handled(at.wire, at.other)
    at.clock.pass(1)
    assert.deepEqual(recordsOf(await asked), [])
  })

  test('is woken by what is produced, and by enough of it only', async () => {
    await using at = await stage()
    const wish = { topicId: at.topicId, maxWaitMs: 60_000, minBytes: 100 }
    const asked = at.wire.ask(Fetch, 13, fetchOf(wish))
    await handled(at.wire, at.other)
    await produce(at.other, 'orders', 'a')
    await handled(at.wire, at.other)
    await produce(at.other, 'orders', 'b')
    assert.deepEqual(recordsOf(await asked), ['0:a', '1:b'])
  })

  test('leaves no timer behind when it was woken', async () => {
    await using at = await stage()
    const before = at.clock.waiting
    const asked = at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId, maxWaitMs: 60_000 }))
    await handled(at.wire, at.other)
    assert.equal(at.clock.waiting, before + 1)
    await produce(at.other, 'orders', 'a')
    await asked
    assert.equal(at.clock.waiting, before)
  })

  test('is told when its topic is deleted', async () => {
    await using at = await stage()
    const asked = at.wire.ask(Fetch, 13, fetchOf({ topicId: at.topicId, maxWaitMs: 60_000 }))
    await handled(at.wire, at.other)
    await at.other.ask(DeleteTopics, 6, {
      topics: [{ name: null, topicId: at.topicId }],
      timeoutMs: 1000,
    })
    assert.equal(partitionOf(await asked).errorCode, errors.unknownTopicId.code)
  })

  test('is forgotten when its client goes', async () => {
    await using at = await stage()
    const before = at.clock.waiting
    at.wire.tell(Fetch, 13, fetchOf({ topicId: at.topicId, maxWaitMs: 60_000 }))
    while (at.clock.waiting === before) await at.other.ask(ApiVersions, 3, client)
    at.wire.socket.destroy()
    while (at.clock.waiting > before) await at.other.ask(ApiVersions, 3, client)
  })

  test('does not wait when it says so', async () => {
    await using at = await stage()
    const wish = { topicId: at.topicId, maxWaitMs: 60_000, minBytes: 0 }
    assert.deepEqual(recordsOf(await at.wire.ask(Fetch, 13, fetchOf(wish))), [])
  })
})
