import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type OutgoingRecord, partitionKey, type Transport } from '@millrace/kit'
import { RecordingListener, recordOf, textOf } from './recording-listener.ts'

/** A cluster that the suite may use as it likes: its topics and groups have names of their own. */
export interface TransportBackend extends AsyncDisposable {
  /** A new client of the same cluster. */
  connect(): Transport
  /** Deletes a topic behind the transport's back. */
  deleteTopic(topic: string): Promise<void>
  /** What only some backends can do. */
  readonly outage?: {
    readonly begin: () => Promise<void>
    readonly end: () => Promise<void>
    /** As `begin`, `end`, with an empty disk in between. */
    readonly wipe: () => Promise<void>
  }
}

export interface TransportConformanceOptions {
  /** Names the backend in the names of the tests. */
  readonly name: string
  readonly open: () => Promise<TransportBackend>
  /** Features of the suite that this backend cannot show, with the reason. */
  readonly skip?: Readonly<Partial<Record<'outage', string>>>
}

interface Bench {
  readonly backend: TransportBackend
  readonly transport: Transport
  readonly connect: () => Transport
  readonly topic: string
  readonly group: string
}

/** Several times what the slowest test takes: what never comes about fails by its name. */
const checkMsMax = 180_000

/** What `kit/src/transport/transport.ts` promises, for every door to a Kafka. */
export function transportConformance(options: TransportConformanceOptions): void {
  const check = (title: string, run: (bench: Bench) => Promise<void>, skip?: string): void => {
    const limits = { timeout: checkMsMax, ...(skip === undefined ? {} : { skip }) }
    test(`${options.name}: ${title}`, limits, async () => {
      await using stack = new AsyncDisposableStack()
      const backend = stack.use(await options.open())
      const connect = (): Transport => stack.use(backend.connect())
      const name = randomUUID().slice(0, 8)
      const bench = { backend, connect, topic: `topic.${name}`, group: `group.${name}` }
      await run({ ...bench, transport: connect() })
    })
  }
  topics(check)
  sending(check)
  reading(check)
  consuming(check)
  membership(check)
  outages((title, run) => check(title, run, options.skip?.outage))
}

type Check = (title: string, run: (bench: Bench) => Promise<void>) => void

function topics(check: Check): void {
  check('a missing topic is made, and an existing one keeps its partitions', async (bench) => {
    const { transport, topic } = bench
    const [made] = await transport.ensureTopics([{ topic, partitions: 3 }])
    assert.deepEqual(made, { topic, topicId: made?.topicId, partitions: 3 })
    assert.notEqual(made.topicId, '')
    const [kept] = await transport.ensureTopics([{ topic, partitions: 5 }])
    assert.deepEqual(kept, made)
  })

  check('two clients that ask for the same topic at once both get it', async (bench) => {
    const { transport, connect, topic } = bench
    const request = [{ topic, partitions: 2, configs: { 'cleanup.policy': 'compact' } }]
    const [a, b] = await Promise.all([
      transport.ensureTopics(request),
      connect().ensureTopics(request),
    ])
    assert.deepEqual(a, b)
  })

  check('the cluster says its id and its brokers', async ({ transport }) => {
    const { clusterId, brokers } = await transport.cluster()
    assert.notEqual(clusterId, '')
    assert.ok(brokers.length > 0)
  })
}

function sending(check: Check): void {
  check('records come back byte for byte: null, empty, and a header twice', async (bench) => {
    const { transport, topic } = bench
    await transport.ensureTopics([{ topic, partitions: 1 }])
    const at = { topic, partition: 0 }
    const headers = [
      { name: 'trace', value: Buffer.from('1') },
      { name: 'trace', value: Buffer.from('2') },
      { name: 'empty', value: Buffer.alloc(0) },
    ]
    const records: OutgoingRecord[] = [
      {
        key: Buffer.from('k'),
        value: Buffer.from([0, 255]),
        headers,
        timestampMs: 1_700_000_000_001,
      },
      { key: null, value: Buffer.alloc(0), headers: [], timestampMs: 1_700_000_000_000 },
      { key: Buffer.from('gone'), value: null, headers: [], timestampMs: 1_700_000_000_002 },
    ]
    assert.deepEqual(await transport.send(at, records), { kind: 'sent', baseOffset: 0n })
    const found = await transport.readFrom(at, 0n, 10)
    assert.deepEqual(
      found.map(plain),
      records.map((record, index) => plain({ ...record, offset: BigInt(index) })),
    )
  })

  check('each batch is appended after the one before', async ({ transport, topic }) => {
    await transport.ensureTopics([{ topic, partitions: 1 }])
    const at = { topic, partition: 0 }
    assert.deepEqual(await transport.send(at, [recordOf('a'), recordOf('b')]), {
      kind: 'sent',
      baseOffset: 0n,
    })
    assert.deepEqual(await transport.send(at, [recordOf('c')]), { kind: 'sent', baseOffset: 2n })
  })

  const refusals: readonly [string, (bench: Bench) => [string, number, OutgoingRecord], string][] =
    [
      [
        'a partition that the topic does not have',
        ({ topic }) => [topic, 2, recordOf('a')],
        'UNKNOWN_TOPIC_OR_PARTITION',
      ],
      [
        'a topic that nobody made',
        ({ topic }) => [`${topic}.other`, 0, recordOf('a')],
        'UNKNOWN_TOPIC_OR_PARTITION',
      ],
      [
        'a record that is too large',
        ({ topic }) => [topic, 0, recordOf('x'.repeat(2_000_000))],
        'MESSAGE_TOO_LARGE',
      ],
    ]
  for (const [what, request, code] of refusals) {
    check(`${what} is refused, and the next record is taken`, async (bench) => {
      const { transport, topic } = bench
      await transport.ensureTopics([{ topic, partitions: 2 }])
      const [to, partition, record] = request(bench)
      const outcome = await transport.send({ topic: to, partition }, [record])
      assert.equal(outcome.kind, 'refused')
      assert.equal(outcome.code, code)
      assert.match(outcome.message, /./)
      const next = await transport.send({ topic, partition: 0 }, [recordOf('next')])
      assert.deepEqual(next, { kind: 'sent', baseOffset: 0n })
    })
  }
}

function reading(check: Check): void {
  check('readFrom gives what lies from an offset on, at most so many', async (bench) => {
    const { transport, topic } = bench
    await transport.ensureTopics([{ topic, partitions: 1 }])
    const at = { topic, partition: 0 }
    await transport.send(
      at,
      ['a', 'b', 'c', 'd'].map((value) => recordOf(value)),
    )
    assert.deepEqual((await transport.readFrom(at, 1n, 2)).map(textOf), ['b', 'c'])
    assert.deepEqual((await transport.readFrom(at, 3n, 10)).map(textOf), ['d'])
    assert.deepEqual(await transport.readFrom(at, 4n, 10), [])
  })

  check('lag counts what the group has not passed', async ({ transport, topic, group }) => {
    await transport.ensureTopics([{ topic, partitions: 2 }])
    const at = { topic, partition: 0 }
    await transport.send(
      at,
      ['a', 'b', 'c'].map((value) => recordOf(value)),
    )
    assert.deepEqual(await transport.lag(group, [topic]), [
      { topic, partition: 0, committed: null, start: 0n, end: 3n, lag: 3n },
      { topic, partition: 1, committed: null, start: 0n, end: 0n, lag: 0n },
    ])
    const listener = new RecordingListener()
    const consumption = transport.consume({ group, instanceId: 'one', topics: [topic], listener })
    await listener.until(() => listener.values().length === 3)
    assert.deepEqual(await consumption.commit([{ ...at, offset: 2n }]), { kind: 'committed' })
    const [first] = await transport.lag(group, [topic])
    assert.deepEqual(first, { topic, partition: 0, committed: 2n, start: 0n, end: 3n, lag: 1n })
  })
}

function consuming(check: Check): void {
  check('a new group reads each partition from its start, in order', async (bench) => {
    const { transport, topic, group } = bench
    const [made] = await transport.ensureTopics([{ topic, partitions: 2 }])
    const { clusterId } = await transport.cluster()
    for (const partition of [0, 1]) {
      const values = ['a', 'b', 'c'].map((value) => recordOf(`${partition}${value}`))
      await transport.send({ topic, partition }, values)
    }
    const listener = new RecordingListener()
    transport.consume({ group, instanceId: 'one', topics: [topic], listener })
    await listener.until(() => listener.values().length === 6)
    assert.deepEqual(listener.values(0), ['0a', '0b', '0c'])
    assert.deepEqual(listener.values(1), ['1a', '1b', '1c'])
    assert.deepEqual(
      listener.assignments.at(-1),
      [0, 1].map((partition) => ({
        topic,
        partition,
        clusterId,
        topicId: made?.topicId,
        position: 0n,
        metadata: '',
        generation: listener.assignments.at(-1)?.at(0)?.generation,
      })),
    )
  })

  check('what is sent later arrives too', async ({ transport, topic, group }) => {
    await transport.ensureTopics([{ topic, partitions: 1 }])
    const listener = new RecordingListener()
    transport.consume({ group, instanceId: 'one', topics: [topic], listener })
    await listener.until(() => listener.assignments.length === 1)
    await transport.send({ topic, partition: 0 }, [recordOf('later')])
    await listener.until(() => listener.values().length === 1)
    assert.deepEqual(listener.values(), ['later'])
  })

  check('a paused partition gives nothing while the others flow', async (bench) => {
    const { transport, topic, group } = bench
    await transport.ensureTopics([{ topic, partitions: 2 }])
    const paused = { topic, partition: 0 }
    const listener = new RecordingListener()
    listener.onAssigned = () => consumption.pause([paused])
    const consumption = transport.consume({ group, instanceId: 'one', topics: [topic], listener })
    await listener.until(() => listener.assignments.length === 1)
    await transport.send(paused, [recordOf('held')])
    await transport.send({ topic, partition: 1 }, [recordOf('flows')])
    await listener.until(() => listener.values().length === 1)
    await transport.send({ topic, partition: 1 }, [recordOf('flows on')])
    await listener.until(() => listener.values().length === 2)
    assert.deepEqual(listener.values(), ['flows', 'flows on'])
    consumption.resume([paused])
    await listener.until(() => listener.values().length === 3)
    assert.deepEqual(listener.values(0), ['held'])
  })

  check(
    'a restart reads on from the committed offset',
    async ({ transport, topic, group, connect }) => {
      await transport.ensureTopics([{ topic, partitions: 1 }])
      const at = { topic, partition: 0 }
      await transport.send(
        at,
        ['a', 'b', 'c'].map((value) => recordOf(value)),
      )
      const before = new RecordingListener()
      const first = transport.consume({
        group,
        instanceId: 'one',
        topics: [topic],
        listener: before,
      })
      await before.until(() => before.values().length === 3)
      await first.commit([{ ...at, offset: 2n }])
      // A commit that comes late must not take the group back.
      await first.commit([{ ...at, offset: 1n }])
      await first.stop()
      const after = new RecordingListener()
      connect().consume({ group, instanceId: 'one', topics: [topic], listener: after })
      await after.until(() => after.values().length === 1)
      assert.deepEqual(after.values(), ['c'])
      assert.equal(after.assignments.at(-1)?.at(0)?.position, 2n)
    },
  )

  check('what is committed beside an offset comes back with it', async (bench) => {
    const { transport, topic, group, connect } = bench
    await transport.ensureTopics([{ topic, partitions: 1 }])
    const at = { topic, partition: 0 }
    const options = { group, instanceId: 'one', topics: [topic] }
    const before = new RecordingListener()
    const first = transport.consume({ ...options, listener: before })
    await before.until(() => before.owned.length === 1)
    const longest = 'm'.repeat(4_096)
    for (const metadata of ['first', longest]) {
      const outcome = await first.commit([{ ...at, offset: 0n, metadata }])
      assert.deepEqual(outcome, { kind: 'committed' })
    }
    await first.stop()
    const after = new RecordingListener()
    connect().consume({ ...options, listener: after })
    await after.until(() => after.owned.length === 1)
    assert.equal(after.owned.at(0)?.metadata, longest)
  })

  check(
    'an offset of a partition that is not ours is fenced, and the others are committed',
    async (bench) => {
      const { transport, topic, group } = bench
      await transport.ensureTopics([{ topic, partitions: 1 }])
      const listener = new RecordingListener()
      const consumption = transport.consume({ group, instanceId: 'one', topics: [topic], listener })
      await listener.until(() => listener.assignments.length === 1)
      await transport.send({ topic, partition: 0 }, [recordOf('a')])
      const outcome = await consumption.commit([
        { topic, partition: 7, offset: 1n },
        { topic, partition: 0, offset: 1n },
      ])
      assert.deepEqual(outcome, { kind: 'fenced', code: 'NOT_ASSIGNED' })
      const [{ committed } = {}] = await transport.lag(group, [topic])
      assert.equal(committed, 1n)
    },
  )

  check('a topic made again under its name is read from its start', async (bench) => {
    const { backend, transport, topic, group, connect } = bench
    await transport.ensureTopics([{ topic, partitions: 1 }])
    const at = { topic, partition: 0 }
    await transport.send(
      at,
      ['old 1', 'old 2'].map((value) => recordOf(value)),
    )
    const listener = new RecordingListener()
    const consumption = transport.consume({ group, instanceId: 'one', topics: [topic], listener })
    await listener.until(() => listener.values().length === 2)
    await consumption.commit([{ ...at, offset: 2n }])
    await backend.deleteTopic(topic)
    const other = connect()
    await other.ensureTopics([{ topic, partitions: 1 }])
    await other.send(
      at,
      ['new 1', 'new 2', 'new 3'].map((value) => recordOf(value)),
    )
    await listener.until(() => listener.values().length === 5)
    assert.deepEqual(listener.values(), ['old 1', 'old 2', 'new 1', 'new 2', 'new 3'])
  })
}

function membership(check: Check): void {
  check(
    'a second member takes its share, after the first has drained and committed',
    async (bench) => {
      const { transport, connect, topic, group } = bench
      await transport.ensureTopics([{ topic, partitions: 2 }])
      for (const partition of [0, 1]) {
        await transport.send(
          { topic, partition },
          ['a', 'b'].map((value) => recordOf(value)),
        )
      }
      const one = new RecordingListener()
      const first = transport.consume({ group, instanceId: 'one', topics: [topic], listener: one })
      await one.until(() => one.values().length === 4)
      one.onRevoked = async (partitions) => {
        const offsets = partitions.map((at) => ({ ...at, offset: 2n }))
        assert.deepEqual(await first.commit(offsets), { kind: 'committed' })
      }
      const two = new RecordingListener()
      connect().consume({ group, instanceId: 'two', topics: [topic], listener: two })
      await two.until(() => two.owned.length === 1)
      const positions = [...one.owned, ...two.owned]
      assert.deepEqual(new Set(positions.map(({ partition }) => partition)), new Set([0, 1]))
      assert.deepEqual(
        positions.map(({ position }) => position),
        [0n, 2n], // only what moved was given anew
      )
      for (const partition of [0, 1]) await transport.send({ topic, partition }, [recordOf('c')])
      await one.until(() => one.values().length === 5)
      await two.until(() => two.values().length === 1)
    },
  )

  check('topics of one stream are dealt alike', async (bench) => {
    const { transport, connect, topic, group } = bench
    const pair = [`${topic}.x`, `${topic}.y`]
    await transport.ensureTopics(pair.map((name) => ({ topic: name, partitions: 4 })))
    const one = new RecordingListener()
    const two = new RecordingListener()
    const streams = new Map(pair.map((name) => [name, 'one stream']))
    const options = { group, topics: pair, streams }
    transport.consume({ ...options, instanceId: 'one', listener: one })
    connect().consume({ ...options, instanceId: 'two', listener: two })
    await one.until(() => one.owned.length === 4)
    await two.until(() => two.owned.length === 4)
    for (const { owned } of [one, two]) {
      const numbers = pair.map((name) =>
        owned.filter((at) => at.topic === name).map(({ partition }) => partition),
      )
      assert.deepEqual(numbers[0], numbers[1])
    }
  })

  check(
    'a member back within its session takes its partitions, and the others notice nothing',
    async (bench) => {
      const { transport, connect, topic, group } = bench
      await transport.ensureTopics([{ topic, partitions: 2 }])
      const one = new RecordingListener()
      const two = new RecordingListener()
      transport.consume({ group, instanceId: 'one', topics: [topic], listener: one })
      const leaving = connect().consume({
        group,
        instanceId: 'two',
        topics: [topic],
        listener: two,
      })
      await one.until(() => one.owned.length === 1)
      await two.until(() => two.owned.length === 1)
      const assignments = one.assignments.length
      await leaving.stop()
      const back = new RecordingListener()
      connect().consume({ group, instanceId: 'two', topics: [topic], listener: back })
      await back.until(() => back.assignments.length === 1)
      assert.deepEqual(back.owned.map(partitionKey), two.owned.map(partitionKey))
      assert.equal(one.assignments.length, assignments)
    },
  )

  check('after stop nothing is delivered', async ({ transport, topic, group }) => {
    await transport.ensureTopics([{ topic, partitions: 1 }])
    const stopped = new RecordingListener()
    const consumption = transport.consume({
      group,
      instanceId: 'one',
      topics: [topic],
      listener: stopped,
    })
    await stopped.until(() => stopped.assignments.length === 1)
    await consumption.stop()
    await transport.send({ topic, partition: 0 }, [recordOf('late')])
    const other = new RecordingListener()
    transport.consume({
      group: `${group}.other`,
      instanceId: 'one',
      topics: [topic],
      listener: other,
    })
    await other.until(() => other.values().length === 1)
    assert.deepEqual(stopped.values(), [])
  })
}

function outages(check: Check): void {
  check(
    'while nobody answers, a send is unavailable, and reading goes on afterwards',
    async (bench) => {
      const { backend, transport, topic, group } = bench
      await transport.ensureTopics([{ topic, partitions: 1 }])
      const at = { topic, partition: 0 }
      const listener = new RecordingListener()
      transport.consume({ group, instanceId: 'one', topics: [topic], listener })
      await transport.send(at, [recordOf('before')])
      await listener.until(() => listener.values().length === 1)
      await backend.outage?.begin()
      assert.equal((await transport.send(at, [recordOf('meanwhile')])).kind, 'unavailable')
      await assert.rejects(transport.cluster(), { code: 'kafka-unavailable', retriable: true })
      await listener.until(() => listener.failures.length > 0)
      await backend.outage?.end()
      assert.equal((await transport.send(at, [recordOf('after')])).kind, 'sent')
      await listener.until(() => listener.values().includes('after'))
    },
  )

  check(
    'a wiped cluster has another id, gets its topics again, and is read from the start',
    async (bench) => {
      const { backend, transport, topic, group } = bench
      await transport.ensureTopics([{ topic, partitions: 1 }])
      const at = { topic, partition: 0 }
      const before = await transport.cluster()
      const listener = new RecordingListener()
      const consumption = transport.consume({ group, instanceId: 'one', topics: [topic], listener })
      await transport.send(
        at,
        ['old 1', 'old 2'].map((value) => recordOf(value)),
      )
      await listener.until(() => listener.values().length === 2)
      await consumption.commit([{ ...at, offset: 2n }])
      await backend.outage?.wipe()
      assert.notEqual((await transport.cluster()).clusterId, before.clusterId)
      const sent = await transport.send(
        at,
        ['new 1', 'new 2', 'new 3'].map((value) => recordOf(value)),
      )
      assert.deepEqual(sent, { kind: 'sent', baseOffset: 0n })
      await listener.until(() => listener.values().length === 5)
      assert.deepEqual(listener.values().slice(2), ['new 1', 'new 2', 'new 3'])
      assert.notEqual(listener.assignments.at(-1)?.at(0)?.clusterId, before.clusterId)
    },
  )
}

function plain({
  key,
  value,
  headers,
  timestampMs,
  offset,
}: OutgoingRecord & { readonly offset: bigint }) {
  const hex = (bytes: Uint8Array | null) =>
    bytes === null ? null : Buffer.from(bytes).toString('hex')
  return {
    offset,
    key: hex(key),
    value: hex(value),
    headers: headers.map((header) => [header.name, hex(header.value)]),
    timestampMs,
  }
}
