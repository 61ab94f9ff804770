import {
  type API,
  type Base,
  type ClusterMetadata,
  ConnectionPool,
  createAPI,
  fetchV12,
  fetchV13,
  fetchV14,
  fetchV15,
  fetchV16,
  fetchV17,
} from '@platformatic/kafka'
import { fetchBytesMax, fetchWaitMsMax } from '../limits.ts'
import { type FetchedPartition, type FetchResponse, readFetchResponse } from './fetch-response.ts'
import { highestCommon, tooOld } from './kafka-apis.ts'
import { connectionOptions } from './kafka-client.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import type { FetchPosition, PartitionFetch } from './partition-fetch.ts'
import { readStoredBatches, timestampMsOf } from './stored-batches.ts'
import type { TopicPartition } from './transport.ts'
import { visibleBatches } from './visible-batches.ts'

type Client = Pick<Base, 'metadata' | 'listApis' | 'clearMetadata'>

/** From 13 on topics go by id, which tells a topic made again from the old one. */
const fetchApis = [
  createAPI(1, 17, fetchV17.createRequest, readFetchResponse),
  createAPI(1, 16, fetchV16.createRequest, readFetchResponse),
  createAPI(1, 15, fetchV15.createRequest, readFetchResponse),
  createAPI(1, 14, fetchV14.createRequest, readFetchResponse),
  createAPI(1, 13, fetchV13.createRequest, readFetchResponse),
  createAPI(1, 12, fetchV12.createRequest, readFetchResponse),
]
type FetchApi = API<fetchV17.FetchRequest, FetchResponse>

/** Kafka's error codes that tell where to ask again, by their names in its protocol. */
const errorCodes = {
  OFFSET_OUT_OF_RANGE: 1,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  LEADER_NOT_AVAILABLE: 5,
  NOT_LEADER_OR_FOLLOWER: 6,
  FENCED_LEADER_EPOCH: 74,
  UNKNOWN_LEADER_EPOCH: 75,
  UNKNOWN_TOPIC_ID: 100,
  INCONSISTENT_TOPIC_ID: 103,
} as const

/** Outside every fetch session (KIP-227): each request says all that it wants. */
const noSession = { id: 0, epoch: -1 }
const readCommitted = 1

/**
 * Reads record batches from partition leaders. It speaks the Fetch API itself, on connections of
 * its own: the client's stream cannot pause one partition, keeps buffered records of partitions
 * that it lost, and ends with the first failed commit.
 */
export class KafkaFetcher {
  readonly #client: Client
  readonly #connections: ConnectionPool
  #api: FetchApi | null = null

  constructor(client: Client, settings: KafkaSettings) {
    this.#client = client
    this.#connections = new ConnectionPool(settings.clientId, connectionOptions(settings))
  }

  /** The positions by the node that leads each, with where it listens. */
  async leaders(
    positions: readonly FetchPosition[],
  ): Promise<ReadonlyMap<number, FetchPosition[]>> {
    const topics = [...new Set(positions.map(({ topic }) => topic))]
    const metadata = await this.#client.metadata({ topics })
    const byLeader = new Map<number, FetchPosition[]>()
    for (const position of positions) {
      const leader = leaderOf(metadata, position)
      const led = byLeader.get(leader) ?? []
      led.push(position)
      byLeader.set(leader, led)
    }
    return byLeader
  }

  /** Waits for records, at most `fetchWaitMsMax`. Throws where the broker cannot be reached. */
  async fetch(node: number, positions: readonly FetchPosition[]): Promise<PartitionFetch[]> {
    const topics = [...new Set(positions.map(({ topic }) => topic))]
    const metadata = await this.#client.metadata({ topics })
    const broker = metadata.brokers.get(node)
    if (broker === undefined) {
      this.#client.clearMetadata()
      return positions.map((position) => ({ ...place(position), kind: 'moved' }))
    }
    const api = await this.#chooseApi()
    const connection = await this.#connections.get(broker)
    const { id, epoch } = noSession
    const request = requestTopics(positions, api)
    const limits = [fetchWaitMsMax, 1, fetchBytesMax, readCommitted] as const
    const response = await api.async(connection, ...limits, id, epoch, request, [], '')
    return readResponse(response, positions, api)
  }

  /** Metadata is cached for seconds; after a failure it may be the cause. */
  forgetMetadata(): void {
    this.#client.clearMetadata()
    this.#api = null
  }

  /** Ends requests in flight with an error. */
  async close(): Promise<void> {
    await this.#connections.close()
  }

  async #chooseApi(): Promise<FetchApi> {
    if (this.#api !== null) return this.#api
    const api = highestCommon(await this.#client.listApis(), 'Fetch', fetchApis)
    if (api === null) throw tooOld('Fetch')
    this.#api = api
    return api
  }
}

function leaderOf(metadata: ClusterMetadata, { topic, partition }: TopicPartition): number {
  return metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1
}

/** Up to version 12 a topic goes by its name; the request's field is the same. */
function requestTopics(positions: readonly FetchPosition[], api: FetchApi) {
  const topics = new Map<string, { topicId: string; partitions: RequestPartition[] }>()
  for (const { topic, topicId, partition, offset } of positions) {
    const name = api.version >= 13 ? topicId : topic
    const entry = topics.get(name) ?? { topicId: name, partitions: [] }
    entry.partitions.push({
      partition,
      fetchOffset: offset,
      partitionMaxBytes: fetchBytesMax,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    })
    topics.set(name, entry)
  }
  return [...topics.values()]
}

interface RequestPartition {
  partition: number
  fetchOffset: bigint
  partitionMaxBytes: number
  currentLeaderEpoch: number
  lastFetchedEpoch: number
}

function readResponse(
  { topics, errorCode }: FetchResponse,
  positions: readonly FetchPosition[],
  api: FetchApi,
): PartitionFetch[] {
  if (errorCode !== 0) return positions.map((at) => readError(at, errorCode, -1n))
  return topics.flatMap(({ topic: name, partitions }) =>
    partitions.flatMap((answer) => {
      const asked = positions.find(
        ({ topic, topicId, partition }) =>
          (api.version >= 13 ? topicId : topic) === name && partition === answer.partition,
      )
      return asked === undefined ? [] : [readPartition(answer, asked)]
    }),
  )
}

function readPartition(answer: FetchedPartition, asked: FetchPosition): PartitionFetch {
  const { errorCode, logStartOffset, abortedTransactions } = answer
  if (errorCode !== 0) return readError(asked, errorCode, logStartOffset)
  const { topic, partition, offset } = asked
  const { batches, damage } = readStoredBatches(answer.batches)
  // What can be read is; the next request begins with the damaged one.
  if (damage !== null && batches.length === 0) {
    const { reason, offset: damagedOffset, nextOffset } = damage
    return { topic, partition, kind: 'damaged', offset: damagedOffset, nextOffset, reason }
  }
  const last = batches.at(-1)
  return {
    kind: 'records',
    topic,
    partition,
    // A batch is sent whole: what lies below the offset was read before.
    records: visibleBatches(batches, abortedTransactions).flatMap((batch) =>
      batch.records.flatMap((record) => {
        const at = batch.firstOffset + BigInt(record.offsetDelta)
        if (at < offset) return []
        return [
          {
            topic,
            partition,
            offset: at,
            key: record.key,
            value: record.value,
            headers: record.headers.map(([name, value]) => ({
              name: name?.toString() ?? '',
              value: value ?? noBytes,
            })),
            timestampMs: timestampMsOf(batch, record.timestampDelta),
          },
        ]
      }),
    ),
    nextOffset: last === undefined ? offset : last.firstOffset + BigInt(last.lastOffsetDelta) + 1n,
  }
}

const noBytes = new Uint8Array(0)

function readError(asked: FetchPosition, code: number, logStart: bigint): PartitionFetch {
  const at = place(asked)
  switch (code) {
    case errorCodes.OFFSET_OUT_OF_RANGE:
      return { ...at, kind: 'out-of-range', logStart }
    case errorCodes.NOT_LEADER_OR_FOLLOWER:
    case errorCodes.LEADER_NOT_AVAILABLE:
    case errorCodes.FENCED_LEADER_EPOCH:
    case errorCodes.UNKNOWN_LEADER_EPOCH:
      return { ...at, kind: 'moved' }
    case errorCodes.UNKNOWN_TOPIC_ID:
    case errorCodes.INCONSISTENT_TOPIC_ID:
    case errorCodes.UNKNOWN_TOPIC_OR_PARTITION:
      return { ...at, kind: 'gone' }
    default:
      return { ...at, kind: 'failed', code }
  }
}

function place({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}
