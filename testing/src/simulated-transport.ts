import type { PartitionLag, SendOutcome, TopicRequest, Transport } from '@millrace/kit'
import { partitionKey } from '@millrace/kit/inside'
import type { Agenda, CallTrouble } from './agenda.ts'
import type { Life } from './life.ts'
import { away, type SimulatedCluster } from './simulated-cluster.ts'
import { SimulatedConsumption } from './simulated-consumption.ts'

export interface TransportOptions {
  readonly life: Life
  readonly agenda: Agenda
  readonly cluster: SimulatedCluster
  readonly fetchMax: number
}

export interface SimulatedTransport extends Transport {
  readonly consumptions: ReadonlySet<SimulatedConsumption>
}

/** One life's door to Kafka. Each question, and each answer, is a step of the schedule. */
export function openSimulatedTransport(options: TransportOptions): SimulatedTransport {
  const { life, agenda, cluster } = options
  const requested = new Map<string, TopicRequest>()
  const consumptions = new Set<SimulatedConsumption>()
  const ask = <Result>(what: string, act: () => Result): Promise<Result> =>
    agenda.call(life, { what, act, troubles: [unanswered] })
  return {
    consumptions,
    cluster: () =>
      ask('asks Kafka for its cluster id', () => {
        cluster.assertHere()
        const brokers = [{ nodeId: 1, host: 'simulated', port: 0 }]
        return { clusterId: cluster.clusterId, brokers }
      }),
    ensureTopics(topics) {
      for (const request of topics) requested.set(request.topic, request)
      return ask('asks Kafka for its topics', () =>
        topics.map((request) => cluster.ensureTopic(request)),
      )
    },
    send(at, records) {
      return agenda.call<SendOutcome>(life, {
        what: `sends ${records.length} to ${partitionKey(at)}`,
        act: () => {
          const request = requested.get(at.topic)
          if (!cluster.isAway && request !== undefined) cluster.ensureTopic(request)
          return cluster.append(at, records)
        },
        troubles: sendTroubles,
      })
    },
    consume(consume) {
      const consumption = new SimulatedConsumption({ ...options, requested, consume })
      consumptions.add(consumption)
      return consumption
    },
    lag: (groupName, topics) =>
      ask(`asks Kafka how far the group ${groupName} is`, () => {
        for (const topic of topics) cluster.describe(topic)
        const group = cluster.group(groupName)
        return topics
          .flatMap((topic) => cluster.partitionsOf(topic))
          .map((at): PartitionLag => {
            const end = cluster.end(at)
            const committed = group.committed(at)?.offset ?? null
            return { ...at, committed, start: 0n, end, lag: end - (committed ?? 0n) }
          })
      }),
    offsetsAt: (partitions, at) =>
      ask('asks Kafka for offsets', () => {
        cluster.assertHere()
        return new Map(
          partitions.map((place) => [partitionKey(place), cluster.offsetAt(place, at)]),
        )
      }),
    readFrom: (at, offset, recordsMax) =>
      ask(`reads ${partitionKey(at)} from ${offset}`, () => {
        cluster.describe(at.topic)
        return cluster.read(at, offset, recordsMax)
      }),
    async [Symbol.asyncDispose]() {
      await Promise.all([...consumptions].map((consumption) => consumption.stop()))
    },
  }
}

const unanswered: CallTrouble<never> = {
  what: 'but nobody answers',
  isDone: false,
  outcome: () => {
    throw away()
  },
}

const unknownFate: SendOutcome = {
  kind: 'unavailable',
  code: 'REQUEST_TIMED_OUT',
  message: 'the simulated Kafka does not answer',
}

const sendTroubles: readonly CallTrouble<SendOutcome>[] = [
  { what: 'but the request is lost', isDone: false, outcome: () => unknownFate },
  { what: 'but the answer is lost', isDone: true, outcome: () => unknownFate },
  {
    what: 'but Kafka refuses it',
    isDone: false,
    outcome: () => ({ kind: 'refused', code: 'NOT_AUTHORIZED', message: 'refused for once' }),
  },
]
