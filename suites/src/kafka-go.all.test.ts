// A Go program on kafka-go, with the todo seed's producer and its three one-topic readers in one
// group, against the embedded broker: `../kafka-go/main.go`.
import { deepEqual, equal, match } from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startBroker } from '@millrace/broker'
import { openKafka, type Transport } from '@millrace/kit'
import { buildGoProgram, runChecked } from './servers/servers.ts'

const topics = ['task.updated', 'task.completed', 'user.created']
const partitions = 4
const group = 'notification-service'

let program: string

before(async () => {
  program = await buildGoProgram('kafka-go', join(import.meta.dirname, '../kafka-go'))
})

// They wait for Kafka's timers more than they compute, so they wait together.
describe('kafka-go', { concurrency: true }, () => {
  test('task.updated of kafka-go arrives as Go writes it: no key, no assignee, nanoseconds', async () => {
    await using cluster = await openCluster()
    await runChecked(program, ['produce', 'Mow the lawn', 'Paint the fence'], {
      // An offset that is not UTC's, in winter as in summer.
      environment: { KAFKA_BROKERS: cluster.brokers, TZ: 'Asia/Kolkata' },
    })
    const records = (await Promise.all(partitionsOf('task.updated').map(readAll(cluster)))).flat()
    deepEqual(
      records.map(({ key }) => key),
      [null, null],
    )
    const events = records
      .map(({ value }) => JSON.parse(new TextDecoder().decode(value ?? new Uint8Array())))
      .toSorted((one, other) => one.taskId - other.taskId)
    for (const { timestamp } of events) match(timestamp, /T\d\d:\d\d:\d\d\.\d{7,9}\+05:30$/)
    deepEqual(
      events.map(({ timestamp: _timestamp, ...event }) => event),
      ['Mow the lawn', 'Paint the fence'].map((title, index) => ({
        eventType: 'task.updated',
        taskId: index + 1,
        teamId: 1,
        actorId: 1,
        creatorId: 1,
        assigneeId: null,
        payload: { title, completed: false },
      })),
    )
  })

  test('three readers of one group, one a topic, hear what kafka-go did not produce', async () => {
    await using cluster = await openCluster()
    for (const topic of topics) await cluster.say(topic, 0, `first on ${topic}`)
    await using consumer = startConsumer(cluster)
    await consumer.hears(topics.map((topic) => `first on ${topic}`))
  })

  test('readers that come back read on where the group had committed', async () => {
    await using cluster = await openCluster()
    await cluster.say('task.completed', 2, 'before')
    {
      await using consumer = startConsumer(cluster)
      await consumer.hears(['before'])
    }
    await cluster.say('task.completed', 2, 'after')
    await using consumer = startConsumer(cluster)
    await consumer.hears(['after'])
    deepEqual(
      consumer.heard.map(({ value }) => value),
      ['after'],
    )
  })

  test('a second program takes its share of the partitions, and gives it back', async () => {
    await using cluster = await openCluster()
    await using first = startConsumer(cluster)
    await cluster.say('task.updated', 0, 'for one')
    await first.hears(['for one'])
    {
      await using second = startConsumer(cluster)
      await untilShared(cluster, [first, second])
    }
    const places = partitionsOf('task.updated')
    const values = places.map(({ partition }) => `for the one that is left, on ${partition}`)
    for (const [index, { partition }] of places.entries()) {
      await cluster.say('task.updated', partition, values[index] ?? '')
    }
    await first.hears(values)
    const { transport } = cluster
    const behind = (await transport.lag(group, ['task.updated'])).filter(({ lag }) => lag > 0n)
    deepEqual(behind, [])
  })
})

/** Speaks on every partition until each of the two has heard something only it heard. */
async function untilShared(cluster: Cluster, [first, second]: [Consumer, Consumer]): Promise<void> {
  for (let round = 0; ; round++) {
    const said = partitionsOf('task.updated').map(({ partition }) => ({
      partition,
      value: `round ${round} on ${partition}`,
    }))
    for (const { partition, value } of said) await cluster.say('task.updated', partition, value)
    const values = said.map(({ value }) => value)
    while (!values.every((value) => first.has(value) || second.has(value))) await sleep(20)
    if (values.some((value) => !first.has(value)) && values.some((value) => !second.has(value))) {
      return
    }
  }
}

interface Cluster extends AsyncDisposable {
  readonly brokers: string
  readonly transport: Transport
  say(topic: string, partition: number, value: string): Promise<void>
}

async function openCluster(): Promise<Cluster> {
  await using stack = new AsyncDisposableStack()
  const broker = stack.use(await startBroker())
  const brokers = broker.bootstrap
  const kafka = { brokers: [brokers], clientId: 'our-side', tls: false, sasl: null }
  const transport = stack.use(openKafka(kafka))
  await transport.ensureTopics(topics.map((topic) => ({ topic, partitions })))
  const opened = stack.move()
  return {
    brokers,
    transport,
    async say(topic, partition, value) {
      const record = { key: null, value: new TextEncoder().encode(value), headers: [] }
      const outcome = await transport.send({ topic, partition }, [
        { ...record, timestampMs: Date.now() },
      ])
      equal(outcome.kind, 'sent')
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function partitionsOf(topic: string): { topic: string; partition: number }[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
}

function readAll({ transport }: Cluster) {
  return (place: { topic: string; partition: number }) => transport.readFrom(place, 0n, 1000)
}

/** The Go program, reading. Ending its input lets it leave the group in order. */
interface Consumer extends AsyncDisposable {
  readonly heard: { readonly topic: string; readonly value: string }[]
  has(value: string): boolean
  hears(values: readonly string[]): Promise<void>
}

function startConsumer(cluster: Cluster): Consumer {
  const child: ChildProcess = spawn(program, ['consume'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, KAFKA_BROKERS: cluster.brokers },
  })
  const ended = once(child, 'exit')
  const heard: Consumer['heard'] = []
  if (child.stdout === null) throw new Error('the output of the program is a pipe')
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => heard.push(JSON.parse(line)))
  const has = (value: string) => heard.some((record) => record.value === value)
  return {
    heard,
    has,
    async hears(values) {
      while (!values.every(has)) await Promise.race([once(lines, 'line'), fails(ended)])
    },
    async [Symbol.asyncDispose]() {
      child.stdin?.end()
      await ended
    },
  }
}

async function fails(ended: Promise<unknown[]>): Promise<never> {
  const [exitCode] = await ended
  throw new Error(`the program ended with code ${String(exitCode)} before it had heard everything`)
}
