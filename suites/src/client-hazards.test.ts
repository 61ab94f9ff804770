import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Broker, startBroker } from '@millrace/broker'
import { type KafkaSettings, openKafka, type Transport } from '@millrace/kit'
import {
  CreateTopics,
  Fetch,
  type FetchRequest,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  Metadata,
  OffsetCommit,
  Produce,
  type ProduceRequest,
} from '@millrace/wire'
import { Admin } from '@platformatic/kafka'
import { RecordingListener, recordOf, textOf } from './recording-listener.ts'

/** What is known of `@platformatic/kafka` 2.x to bite, each shown on a broker that provokes it. */

const topic = 'hazards'
const group = 'hazards'
const at = { topic, partition: 0 }

interface Bench {
  readonly broker: Broker
  readonly transport: Transport
  readonly connect: () => Transport
}

function hazard(title: string, run: (bench: Bench) => Promise<void>): void {
  test(title, { timeout: 30_000 }, async () => {
    await using stack = new AsyncDisposableStack()
    const broker = stack.use(await startBroker())
    // Clients write defaults into the object that they get: ours must not.
    const settings: KafkaSettings = Object.freeze({
      brokers: Object.freeze([broker.bootstrap]),
      clientId: 'hazards',
      tls: false,
      sasl: null,
    })
    const connect = (): Transport => stack.use(openKafka(settings))
    const transport = connect()
    await transport.ensureTopics([{ topic, partitions: 2 }])
    await run({ broker, transport, connect })
  })
}

const codes = {
  ILLEGAL_GENERATION: 22,
  COORDINATOR_NOT_AVAILABLE: 15,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  NOT_ENOUGH_REPLICAS: 19,
  NOT_LEADER_OR_FOLLOWER: 6,
  UNKNOWN_PRODUCER_ID: 59,
  TOPIC_AUTHORIZATION_FAILED: 29,
}

/** Says of every partition that nothing was stored. */
function refusedProduce({ topicData }: ProduceRequest, errorCode: number) {
  return {
    responses: topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1n })),
    })),
  }
}

hazard(
  'a fetch asks for 1 MiB at most, waits shortly, and belongs to no session',
  async (bench) => {
    const requests: FetchRequest[] = []
    using _ = bench.broker.intercept(Fetch, async ({ request, proceed }) => {
      requests.push(request)
      return proceed()
    })
    const listener = new RecordingListener()
    bench.transport.consume({ group, instanceId: 'one', topics: [topic], listener })
    await bench.transport.send(at, [recordOf('a')])
    await listener.until(() => listener.values().length === 1)
    for (const request of requests) {
      assert.ok(request.maxBytes <= 1024 * 1024)
      assert.ok(request.maxWaitMs <= 500)
      assert.equal(request.isolationLevel, 1)
      assert.deepEqual([request.sessionId, request.sessionEpoch], [0, -1])
      for (const { partitions } of request.topics) {
        for (const { partitionMaxBytes } of partitions) assert.ok(partitionMaxBytes <= 1024 * 1024)
      }
    }
  },
)

hazard('nothing is committed by itself', async (bench) => {
  let commits = 0
  using _ = bench.broker.intercept(OffsetCommit, async ({ proceed }) => {
    commits += 1
    return proceed()
  })
  const listener = new RecordingListener()
  const consumption = bench.transport.consume({
    group,
    instanceId: 'one',
    topics: [topic],
    listener,
  })
  await bench.transport.send(
    at,
    ['a', 'b', 'c'].map((value) => recordOf(value)),
  )
  await listener.until(() => listener.values().length === 3)
  await consumption.stop()
  assert.equal(commits, 0)
})

hazard(
  'a produce is idempotent and acknowledged by all, and its repetition is stored once',
  async (bench) => {
    const acks: number[] = []
    using _ = bench.broker.intercept(Produce, async ({ request, proceed }) => {
      acks.push(request.acks)
      const response = await proceed()
      // The first answer is lost on the way: the client does not know that it was stored.
      if (acks.length === 1) throw new Error('cut')
      return response
    })
    const outcome = await bench.transport.send(at, [recordOf('a')])
    assert.deepEqual(outcome, { kind: 'sent', baseOffset: 0n })
    assert.deepEqual(acks, [-1, -1])
    assert.equal((await bench.transport.readFrom(at, 0n, 10)).length, 1)
  },
)

hazard(
  'a produce that the broker cannot take now is unavailable, and not refused',
  async (bench) => {
    {
      using _ = bench.broker.intercept(Produce, async ({ request, proceed }) => {
        await proceed({ ...request, topicData: [] })
        return refusedProduce(request, codes.NOT_ENOUGH_REPLICAS)
      })
      const outcome = await bench.transport.send(at, [recordOf('a')])
      assert.equal(outcome.kind, 'unavailable')
      assert.equal(outcome.code, 'NOT_ENOUGH_REPLICAS')
    }
    assert.equal((await bench.transport.send(at, [recordOf('a')])).kind, 'sent')
  },
)

const failovers: readonly [string, number, 'the same' | 'another'][] = [
  ['its leader has moved', codes.NOT_LEADER_OR_FOLLOWER, 'the same'],
  ['its producer is forgotten', codes.UNKNOWN_PRODUCER_ID, 'another'],
]
for (const [what, errorCode, producer] of failovers) {
  hazard(`a produce that was not stored because ${what} is repeated, once`, async (bench) => {
    const sent: { readonly producerId: bigint; readonly sequence: number }[] = []
    using _ = bench.broker.intercept(Produce, async ({ request, proceed }) => {
      const [{ records } = {}] = request.topicData.flatMap(({ partitionData }) => partitionData)
      const batch = Buffer.concat(records instanceof Uint8Array ? [records] : (records ?? []))
      sent.push({ producerId: batch.readBigInt64BE(43), sequence: batch.readInt32BE(53) })
      return sent.length === 2 ? refusedProduce(request, errorCode) : proceed()
    })
    for (const value of ['a', 'b', 'c']) {
      assert.equal((await bench.transport.send(at, [recordOf(value)])).kind, 'sent')
    }
    const read = await bench.transport.readFrom(at, 0n, 10)
    assert.deepEqual(read.map(textOf), ['a', 'b', 'c'])
    const [, refused, repeated] = sent
    const isSame = refused?.producerId === repeated?.producerId
    assert.equal(isSame, producer === 'the same')
    assert.equal(repeated?.sequence, isSame ? refused?.sequence : 0)
  })
}

hazard('a commit of an old generation is fenced, and reading goes on', async (bench) => {
  const listener = new RecordingListener()
  const consumption = bench.transport.consume({
    group,
    instanceId: 'one',
    topics: [topic],
    listener,
  })
  await bench.transport.send(at, [recordOf('a')])
  await listener.until(() => listener.values().length === 1)
  {
    using _ = bench.broker.intercept(OffsetCommit, async ({ request }) => ({
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: codes.ILLEGAL_GENERATION,
        })),
      })),
    }))
    const fenced = await consumption.commit([{ ...at, offset: 1n }])
    assert.deepEqual(fenced, { kind: 'fenced', code: 'ILLEGAL_GENERATION' })
  }
  await bench.transport.send(at, [recordOf('b')])
  await listener.until(() => listener.values().length === 2)
  assert.deepEqual(await consumption.commit([{ ...at, offset: 2n }]), { kind: 'committed' })
})

hazard('records that were asked for before a rebalance are dropped after it', async (bench) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  let isHolding = false
  using _ = bench.broker.intercept(Fetch, async ({ proceed }) => {
    const response = await proceed()
    if (!isHolding) return response
    ask()
    await gate
    return response
  })
  const one = new RecordingListener()
  bench.transport.consume({ group, instanceId: 'one', topics: [topic], listener: one })
  await one.until(() => one.owned.length === 2)
  isHolding = true
  for (const partition of [0, 1]) {
    await bench.transport.send({ topic, partition }, [recordOf(`old ${partition}`)])
  }
  await asked
  const two = new RecordingListener()
  bench.connect().consume({ group, instanceId: 'two', topics: [topic], listener: two })
  await two.until(() => two.owned.length === 1)
  isHolding = false
  open()
  await one.until(() => one.values().length === 1)
  await two.until(() => two.values().length === 1)
  for (const member of [one, two]) {
    assert.deepEqual(
      member.values(),
      member.owned.map(({ partition }) => `old ${partition}`),
    )
  }
})

hazard('heartbeats go on while a member drains what leaves it', async (bench) => {
  const generations: number[] = []
  using _ = bench.broker.intercept(Heartbeat, async ({ request, proceed }) => {
    generations.push(request.generationId)
    return proceed()
  })
  const one = new RecordingListener()
  one.onRevoked = async () => {
    const enough = generations.length + 2
    while (generations.length < enough) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  bench.transport.consume({ group, instanceId: 'one', topics: [topic], listener: one })
  await one.until(() => one.owned.length === 2)
  const two = new RecordingListener()
  bench.connect().consume({ group, instanceId: 'two', topics: [topic], listener: two })
  await two.until(() => two.owned.length === 1)
  assert.deepEqual(one.losses, [])
})

hazard(
  'a member that Kafka has put out has lost its partitions, and commits nothing',
  async (bench) => {
    const listener = new RecordingListener()
    bench.transport.consume({ group, instanceId: 'one', topics: [topic], listener })
    await listener.until(() => listener.owned.length === 2)
    // Another process takes our instance id, and with it our place.
    const impostor = new RecordingListener()
    bench.connect().consume({ group, instanceId: 'one', topics: [topic], listener: impostor })
    await listener.until(() => listener.losses.length === 1)
    assert.equal(listener.losses.at(0)?.length, 2)
    assert.match(listener.failures.at(0)?.message ?? '', /another process .* our instance id/)
  },
)

hazard('a group of members of another kind is told with what to do', async (bench) => {
  using _ = bench.broker.intercept(JoinGroup, async ({ request }) => ({
    errorCode: codes.INCONSISTENT_GROUP_PROTOCOL,
    protocolName: '',
    leader: '',
    skipAssignment: false,
    memberId: request.memberId,
    members: [],
  }))
  const listener = new RecordingListener()
  bench.transport.consume({ group, instanceId: 'one', topics: [topic], listener })
  await listener.until(() => listener.failures.length === 1)
  assert.match(listener.failures.at(0)?.message ?? '', /members of another kind; stop them, or/)
})

hazard('a rejoin that fails does not end the membership', async (bench) => {
  const listener = new RecordingListener()
  bench.transport.consume({ group, instanceId: 'one', topics: [topic], listener })
  await listener.until(() => listener.assignments.length === 1)
  let refusals = 2
  using _joins = bench.broker.intercept(JoinGroup, async ({ proceed, request }) => {
    if (refusals === 0) return proceed()
    refusals -= 1
    return {
      errorCode: codes.COORDINATOR_NOT_AVAILABLE,
      protocolName: '',
      leader: '',
      skipAssignment: false,
      memberId: request.memberId,
      members: [],
    }
  })
  let isFenced = true
  using _heartbeats = bench.broker.intercept(Heartbeat, async ({ proceed }) => {
    if (!isFenced) return proceed()
    isFenced = false
    return { errorCode: codes.ILLEGAL_GENERATION }
  })
  await listener.until(() => listener.assignments.length === 2)
  await bench.transport.send(at, [recordOf('after')])
  await listener.until(() => listener.values().length === 1)
  assert.equal(refusals, 0)
})

hazard('a member is static, with a session of 10 s, and leaves without a word', async (bench) => {
  const joins: (readonly [string | null, number])[] = []
  let leaves = 0
  using _joins = bench.broker.intercept(JoinGroup, async ({ request, proceed }) => {
    joins.push([request.groupInstanceId, request.sessionTimeoutMs])
    return proceed()
  })
  using _leaves = bench.broker.intercept(LeaveGroup, async ({ proceed }) => {
    leaves += 1
    return proceed()
  })
  const listener = new RecordingListener()
  const consumption = bench.transport.consume({
    group,
    instanceId: 'one',
    topics: [topic],
    listener,
  })
  await listener.until(() => listener.assignments.length === 1)
  await consumption.stop()
  assert.deepEqual(joins[0], ['one', 10_000])
  assert.equal(leaves, 0)
})

hazard('a fetch that the broker cuts off is tried again from the same place', async (bench) => {
  const listener = new RecordingListener()
  bench.transport.consume({ group, instanceId: 'one', topics: [topic], listener })
  await bench.transport.send(at, [recordOf('a')])
  await listener.until(() => listener.values().length === 1)
  let cuts = 2
  using _ = bench.broker.intercept(Fetch, async ({ proceed }) => {
    if (cuts === 0) return proceed()
    cuts -= 1
    throw new Error('cut')
  })
  await bench.transport.send(at, [recordOf('b')])
  await listener.until(() => listener.values().length === 2)
  assert.deepEqual(listener.values(), ['a', 'b'])
})

hazard(
  'a damaged batch stops its partition, is told, and is read when it is whole',
  async (bench) => {
    let isDamaging = true
    using _ = bench.broker.intercept(Fetch, async ({ proceed }) => {
      const response = await proceed()
      if (!isDamaging || typeof response === 'symbol') return response
      const damage = (records: Uint8Array | readonly Uint8Array[] | null | undefined) => {
        const parts = records instanceof Uint8Array ? [records] : (records ?? [])
        const bytes = Buffer.concat(parts)
        return bytes.fill(0xff, Math.max(0, bytes.length - 1))
      }
      const responses = response.responses.map((inTopic) => ({
        ...inTopic,
        partitions: inTopic.partitions.map((one) =>
          one.partitionIndex === 0 ? { ...one, records: damage(one.records) } : one,
        ),
      }))
      return { ...response, responses }
    })
    const listener = new RecordingListener()
    bench.transport.consume({ group, instanceId: 'one', topics: [topic], listener })
    await bench.transport.send(at, [recordOf('damaged on the way')])
    await listener.until(() => listener.troubles.length === 1)
    assert.match(
      listener.troubles.at(0)?.message ?? '',
      /partition 0: the batch at offset 0 is damaged \(its checksum is wrong\), and nothing after/,
    )
    await bench.transport.send({ topic, partition: 1 }, [recordOf('whole')])
    await listener.until(() => listener.values().length === 1)
    isDamaging = false
    await listener.until(() => listener.values().length === 2)
    assert.deepEqual(listener.values(), ['whole', 'damaged on the way'])
    assert.deepEqual(listener.troubles, [])
  },
)

hazard('a topic that Kafka does not show keeps nobody from the others', async (bench) => {
  let isRefusing = true
  using _ = bench.broker.intercept(Metadata, async ({ request, proceed }) => {
    const response = await proceed()
    const isAsked = request.topics?.some(({ name }) => name === 'secret') ?? false
    if (!isRefusing || !isAsked || typeof response === 'symbol') return response
    const topics = response.topics.map((found) =>
      found.name === 'secret' ? { ...found, errorCode: codes.TOPIC_AUTHORIZATION_FAILED } : found,
    )
    return { ...response, topics }
  })
  await using other = openKafka({
    brokers: [bench.broker.bootstrap],
    clientId: 'hazards',
    tls: false,
    sasl: null,
    metadataMaxAgeMs: 200,
  })
  const admin = new Admin({ clientId: 'operator', bootstrapBrokers: [bench.broker.bootstrap] })
  await admin.createTopics({ topics: ['secret'], partitions: 1 })
  await admin.close()
  const listener = new RecordingListener()
  other.consume({ group, instanceId: 'one', topics: ['secret', topic], listener })
  await bench.transport.send(at, [recordOf('open')])
  await listener.until(() => listener.values().length === 1)
  assert.deepEqual(
    listener.troubles.map(({ topic: name, kind, message }) => [name, kind, message]),
    [
      [
        'secret',
        'refused',
        'Kafka does not describe the topics "secret" (TOPIC_AUTHORIZATION_FAILED): allow it, or ' +
          'make them by hand',
      ],
    ],
  )
  isRefusing = false
  await listener.until(() => listener.owned.length === 3)
  assert.deepEqual(listener.troubles, [])
})

hazard('partitions that are added are heard too', async ({ broker }) => {
  const metadataMaxAgeMs = 200
  const sasl = null
  const brokers = [broker.bootstrap]
  const settings = { brokers, clientId: 'hazards', tls: false, sasl, metadataMaxAgeMs }
  await using transport = openKafka(settings)
  const listener = new RecordingListener()
  transport.consume({ group, instanceId: 'one', topics: [topic], listener })
  await listener.until(() => listener.assignments.length === 1)
  const admin = new Admin({ clientId: 'operator', bootstrapBrokers: [broker.bootstrap] })
  const assignments = [{ brokerIds: [1] }]
  await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments }] })
  await admin.close()
  await using other = openKafka(settings)
  await other.send({ topic, partition: 2 }, [recordOf('on the new one')])
  await listener.until(() => listener.values(2).length === 1)
  assert.deepEqual(listener.failures, [])
  assert.match(listener.troubles.at(0)?.message ?? '', /had 2 partitions and has 3 now/)
})

hazard('partitions that were added while a member was away are heard at once', async (bench) => {
  const options = { group, instanceId: 'one', topics: [topic] }
  const before = new RecordingListener()
  const consumption = bench.transport.consume({ ...options, listener: before })
  await before.until(() => before.owned.length === 2)
  await consumption.stop()
  const admin = new Admin({ clientId: 'operator', bootstrapBrokers: [bench.broker.bootstrap] })
  const assignments = [{ brokerIds: [1] }]
  await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments }] })
  await admin.close()
  // Back within its session, it is given what was dealt before.
  const after = new RecordingListener()
  bench.connect().consume({ ...options, listener: after })
  await after.until(() => after.owned.length === 3)
  assert.deepEqual(
    after.assignments.map((given) => given.map(({ partition }) => partition)),
    [[0, 1], [2]],
  )
})

hazard('a topic that Kafka does not make is named, with its reason', async (bench) => {
  using _ = bench.broker.intercept(CreateTopics, async ({ request }) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ name }) => ({
      name,
      errorCode: codes.TOPIC_AUTHORIZATION_FAILED,
      errorMessage: 'not for you',
      configs: null,
    })),
  }))
  await assert.rejects(bench.transport.ensureTopics([{ topic: 'secret', partitions: 1 }]), {
    code: 'topic-refused',
    message:
      'Kafka does not make the topics "secret" (TOPIC_AUTHORIZATION_FAILED): allow it, or make ' +
      'them by hand',
  })
})
