import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { partitionKey, type Transport } from '@millrace/kit'
import { GroupLog, GroupMember } from './group-member.ts'
import { RecordingListener, recordOf } from './recording-listener.ts'
import type { TransportConformanceOptions } from './transport-conformance.ts'

export interface MembershipConformanceOptions extends TransportConformanceOptions {
  /** How many records are sent while members come and go. */
  readonly records: number
}

interface Bench {
  readonly connect: () => Transport
  readonly transport: Transport
  readonly topic: string
  readonly group: string
}

/** What a group promises while its members come, go and die (P4, P6), at every door to a Kafka. */
export function membershipConformance(options: MembershipConformanceOptions): void {
  const check = (title: string, run: (bench: Bench) => Promise<void>): void => {
    test(`${options.name}: ${title}`, { timeout: 120_000 }, async () => {
      await using stack = new AsyncDisposableStack()
      const backend = stack.use(await options.open())
      const connect = (): Transport => stack.use(backend.connect())
      const name = randomUUID().slice(0, 8)
      const transport = connect()
      await run({ connect, transport, topic: `topic.${name}`, group: `group.${name}` })
    })
  }
  check('what stays with a member flows while it drains what leaves', drainsWhatLeavesOnly)
  check('members that come at once share everything, each partition once', joinAtOnce)
  check('a member that dies while it drains holds nobody up for longer than its session', dies)
  check('while members come and go nothing is lost, done twice, or out of order', (bench) =>
    comeAndGo(bench, options.records),
  )
}

async function drainsWhatLeavesOnly({ transport, connect, topic, group }: Bench): Promise<void> {
  await transport.ensureTopics([{ topic, partitions: 2 }])
  const one = new RecordingListener()
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const { promise: draining, resolve: drain } = Promise.withResolvers<readonly number[]>()
  one.onRevoked = async (partitions) => {
    drain(partitions.map(({ partition }) => partition))
    await gate
  }
  transport.consume({ group, instanceId: 'one', topics: [topic], listener: one })
  await one.until(() => one.owned.length === 2)
  const two = new RecordingListener()
  connect().consume({ group, instanceId: 'two', topics: [topic], listener: two })
  const [leaving = -1, ...others] = await draining
  assert.deepEqual(others, [])
  for (const partition of [leaving, 1 - leaving]) {
    await transport.send({ topic, partition }, [recordOf(`on ${partition}`)])
  }
  await one.until(() => one.values().length === 1)
  assert.deepEqual(one.values(), [`on ${1 - leaving}`])
  assert.deepEqual(two.owned, [])
  open()
  await two.until(() => two.values().length === 1)
  assert.deepEqual(two.values(), [`on ${leaving}`])
  assert.equal(one.values().length, 1)
}

async function joinAtOnce({ transport, connect, topic, group }: Bench): Promise<void> {
  await transport.ensureTopics([{ topic, partitions: 6 }])
  const members = ['one', 'two', 'three'].map((instanceId) => {
    const listener = new RecordingListener()
    connect().consume({ group, instanceId, topics: [topic], listener })
    return listener
  })
  await Promise.all(members.map((member) => member.until(() => member.owned.length === 2)))
  const owned = members.flatMap((member) => member.owned.map(partitionKey))
  assert.equal(new Set(owned).size, 6)
}

async function dies({ transport, connect, topic, group }: Bench): Promise<void> {
  await transport.ensureTopics([{ topic, partitions: 2 }])
  const dying = connect()
  const one = new RecordingListener()
  const { promise: draining, resolve: drain } = Promise.withResolvers<void>()
  one.onRevoked = async () => {
    drain()
    await new Promise<never>(() => {})
  }
  dying.consume({ group, instanceId: 'one', topics: [topic], listener: one })
  await one.until(() => one.owned.length === 2)
  const two = new RecordingListener()
  transport.consume({ group, instanceId: 'two', topics: [topic], listener: two })
  await draining
  await dying[Symbol.asyncDispose]()
  await two.until(() => two.owned.length === 2)
}

async function comeAndGo(bench: Bench, records: number): Promise<void> {
  const { transport, connect, topic, group } = bench
  const partitions = 6
  await transport.ensureTopics([{ topic, partitions }])
  const log = new GroupLog()
  const join = (name: string) => new GroupMember(connect(), name, { group, topics: [topic], log })
  const sending = send(transport, topic, { partitions, records })
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const one = join('one')
  await until(() => one.owned === 6)
  const two = join('two')
  await until(() => two.owned === 3)
  const three = join('three')
  await until(() => [one, two, three].every(({ owned }) => owned === 2))
  // One is back within its session, and takes its place; another stays away.
  await two[Symbol.asyncDispose]()
  const again = join('two')
  await until(() => again.owned === 2)
  await three[Symbol.asyncDispose]()
  await until(() => one.owned === 3 && again.owned === 3)
  const sent = await sending
  await until(() => new Set(log.handled.map(({ value }) => value)).size >= sent)
  await Promise.all([one, again].map((member) => member[Symbol.asyncDispose]()))
  assert.deepEqual(log.clashes, [])
  for (let partition = 0; partition < partitions; partition += 1) {
    const place = partitionKey({ topic, partition })
    const values = log.handled.filter((handled) => handled.place === place)
    const numbers = values.map(({ value }) => Number(value.split(' ').at(-1)))
    const want = Array.from({ length: numbers.length }, (_, index) => index)
    assert.deepEqual(numbers, want, `of ${place}`)
  }
  assert.equal(log.handled.length, sent)
}

/** Fifty batches take about as long as the members take to come and go. */
const pauseMs = 250

interface Load {
  readonly partitions: number
  readonly records: number
}

/** Sends `partition n` to each partition in turn, spread over some seconds. */
async function send(transport: Transport, topic: string, load: Load): Promise<number> {
  const { partitions, records } = load
  const rounds = Math.ceil(records / partitions)
  const roundsPerBatch = Math.ceil(rounds / 50)
  for (let from = 0; from < rounds; from += roundsPerBatch) {
    const numbers = Array.from(
      { length: Math.min(roundsPerBatch, rounds - from) },
      (_, index) => from + index,
    )
    for (let partition = 0; partition < partitions; partition += 1) {
      const batch = numbers.map((number) => recordOf(`${partition} ${number}`))
      const outcome = await transport.send({ topic, partition }, batch)
      assert.equal(outcome.kind, 'sent')
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return rounds * partitions
}
