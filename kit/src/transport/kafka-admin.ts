import {
  Admin,
  type ClusterMetadata,
  FetchIsolationLevels,
  type FetchIsolationLevelValue,
  ListOffsetTimestamps,
} from '@platformatic/kafka'
import { MillraceError, messageOf } from '../errors.ts'
import { clusterReadyAttemptsMax, clusterReadyDelayMs } from '../limits.ts'
import { clientOptions } from './kafka-client.ts'
import { explained, isUnknownTopic, protocolCodesOf } from './kafka-errors.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import type { TopicSurvey } from './topic-watch.ts'
import {
  type ClusterDescription,
  type PartitionLag,
  partitionKey,
  type TopicDescription,
  type TopicPartition,
  type TopicRequest,
} from './transport.ts'

/** Asks the cluster about itself and makes topics. Every error is one clear line. */
export class KafkaAdmin {
  readonly #settings: KafkaSettings
  readonly #admin: Admin
  /** What our services asked for, so that a broker whose data was wiped gets it again. */
  readonly #requested = new Map<string, TopicRequest>()

  constructor(settings: KafkaSettings) {
    this.#settings = settings
    this.#admin = new Admin(clientOptions(settings))
  }

  async cluster(): Promise<ClusterDescription> {
    return explained(this.#settings, async () => {
      // The client keeps the first cluster id that it saw, even when the cluster is another.
      this.#admin.clearMetadata()
      const { id, brokers } = await this.#admin.metadata({ topics: [], forceUpdate: true })
      return {
        clusterId: id,
        brokers: [...brokers].map(([nodeId, { host, port }]) => ({ nodeId, host, port })),
      }
    })
  }

  async ensureTopics(requests: readonly TopicRequest[]): Promise<readonly TopicDescription[]> {
    for (const request of requests) this.#requested.set(request.topic, request)
    if (requests.length === 0) return []
    return explained(this.#settings, async () => {
      const existing = new Set(await this.#admin.listTopics())
      await this.#create(requests.filter(({ topic }) => !existing.has(topic)))
      return this.describe(requests.map(({ topic }) => topic))
    })
  }

  /** Makes those topics again that were asked for once and are gone. */
  async restoreTopics(topics: readonly string[]): Promise<readonly TopicDescription[]> {
    const requests = topics.flatMap((topic) => this.#requested.get(topic) ?? [])
    await this.ensureTopics(requests)
    return explained(this.#settings, () => this.describe(topics))
  }

  /**
   * Looks at each topic, and makes those that were asked for and are missing. One that Kafka does
   * not make or show keeps nobody from the others. Throws where Kafka does not answer at all.
   */
  async survey(topics: readonly string[]): Promise<TopicSurvey> {
    try {
      return { topics: await this.restoreTopics(topics), refused: new Map() }
    } catch (error) {
      if (!isAboutTopics(error)) throw error
    }
    const found: TopicDescription[] = []
    const refused = new Map<string, string>()
    for (const topic of topics) {
      try {
        found.push(...(await this.restoreTopics([topic])))
      } catch (error) {
        if (!isAboutTopics(error)) throw error
        refused.set(topic, messageOf(error))
      }
    }
    return { topics: found, refused }
  }

  /** What the catalogue says of a topic that one of our services asked for. */
  wantedPartitions(topic: string): number | undefined {
    return this.#requested.get(topic)?.partitions
  }

  /** True for a topic that one of our services asked for. */
  isRequested(topic: string): boolean {
    return this.#requested.has(topic)
  }

  /** Throws where a topic does not exist, after waiting for a new one to be known. */
  async describe(topics: readonly string[]): Promise<readonly TopicDescription[]> {
    try {
      return await patiently(async () => {
        this.#admin.clearMetadata()
        const metadata = await this.#admin.metadata({ topics: [...topics], forceUpdate: true })
        return topics.map((topic) => descriptionOf(metadata, topic))
      })
    } catch (error) {
      const codes = protocolCodesOf(error)
      throw codes.length === 0 ? error : refusedTopics('describe', topics, { codes, cause: error })
    }
  }

  async lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]> {
    return explained(this.#settings, async () => {
      const places = (await this.describe(topics)).flatMap(partitionsOf)
      const ends = await this.offsets(places, ListOffsetTimestamps.LATEST)
      const starts = await this.offsets(places, ListOffsetTimestamps.EARLIEST)
      const committed = await this.#committed(group, topics)
      return places.map((place) => {
        const end = ends.get(partitionKey(place)) ?? 0n
        const start = starts.get(partitionKey(place)) ?? 0n
        const passed = committed.get(partitionKey(place)) ?? null
        const from = passed === null || passed < start ? start : passed
        return { ...place, committed: passed, start, end, lag: end > from ? end - from : 0n }
      })
    })
  }

  /** See `Transport.offsetsAt`. */
  async offsetsAt(
    places: readonly TopicPartition[],
    at: 'start' | 'end' | number,
  ): Promise<ReadonlyMap<string, bigint>> {
    return explained(this.#settings, async () => {
      const ends = await this.offsets(places, ListOffsetTimestamps.LATEST)
      if (at === 'end') return ends
      const timestamp = at === 'start' ? ListOffsetTimestamps.EARLIEST : BigInt(at)
      const found = await this.offsets(places, timestamp)
      // Kafka says -1 where no record is as late as that.
      return new Map([...found].map(([key, one]) => [key, one < 0n ? (ends.get(key) ?? 0n) : one]))
    })
  }

  /** Where the next record of a partition will go. */
  async endOffset(at: TopicPartition): Promise<bigint> {
    const ends = await this.offsets([at], ListOffsetTimestamps.LATEST)
    return ends.get(partitionKey(at)) ?? 0n
  }

  /** By `partitionKey`: the offset at a timestamp, which may be a `ListOffsetTimestamps`. */
  async offsets(
    places: readonly TopicPartition[],
    timestamp: bigint,
    isolationLevel: FetchIsolationLevelValue = FetchIsolationLevels.READ_UNCOMMITTED,
  ): Promise<ReadonlyMap<string, bigint>> {
    if (places.length === 0) return new Map()
    const byTopic = Map.groupBy(places, ({ topic }) => topic)
    const listed = await this.#admin.listOffsets({
      isolationLevel,
      topics: [...byTopic].map(([name, inTopic]) => ({
        name,
        partitions: inTopic.map(({ partition }) => ({ partitionIndex: partition, timestamp })),
      })),
    })
    return new Map(
      listed.flatMap(({ name: topic, partitions }) =>
        partitions.map(({ partitionIndex: partition, offset }): [string, bigint] => [
          partitionKey({ topic, partition }),
          offset,
        ]),
      ),
    )
  }

  async close(): Promise<void> {
    await this.#admin.close()
  }

  /** For a fetcher, which needs metadata and API versions only. */
  get client(): Admin {
    return this.#admin
  }

  async #create(requests: readonly TopicRequest[]): Promise<void> {
    // The client takes configs for a whole call, not by topic.
    const byConfigs = Map.groupBy(requests, ({ configs = {} }) => JSON.stringify(configs))
    for (const alike of byConfigs.values()) {
      const configs = Object.entries(alike[0]?.configs ?? {})
      try {
        await this.#admin.createTopics({
          topics: alike.map(({ topic, partitions }) => ({ topic, partitions })),
          configs: configs.map(([name, value]) => ({ name, value })),
        })
      } catch (error) {
        // Another service asked for the same topic at the same moment.
        const codes = protocolCodesOf(error).filter((code) => code !== 'TOPIC_ALREADY_EXISTS')
        if (protocolCodesOf(error).length === 0) throw error
        const topics = alike.map(({ topic }) => topic)
        if (codes.length > 0) throw refusedTopics('make', topics, { codes, cause: error })
      }
    }
  }

  async #committed(group: string, topics: readonly string[]): Promise<ReadonlyMap<string, bigint>> {
    const groups = await patiently(() => this.#admin.listConsumerGroupOffsets({ groups: [group] }))
    return new Map(
      groups
        .flatMap((found) => found.topics)
        .filter(({ name }) => topics.includes(name))
        .flatMap(({ name: topic, partitions }) =>
          partitions
            .filter(({ committedOffset }) => committedOffset >= 0n)
            .map(({ partitionIndex: partition, committedOffset }): [string, bigint] => [
              partitionKey({ topic, partition }),
              committedOffset,
            ]),
        ),
    )
  }
}

function isAboutTopics(error: unknown): boolean {
  return (error instanceof MillraceError && error.code === 'topic-refused') || isUnknownTopic(error)
}

function refusedTopics(
  what: 'make' | 'describe',
  topics: readonly string[],
  { codes, cause }: { readonly codes: readonly string[]; readonly cause: unknown },
): MillraceError {
  const names = topics.map((topic) => `"${topic}"`).join(', ')
  const reasons = [...new Set(codes)].join(', ')
  return new MillraceError(
    'topic-refused',
    `Kafka does not ${what} the topics ${names} (${reasons}): allow it, or make them by hand`,
    { cause, retriable: true },
  )
}

/** What a cluster says while a new topic, or its very first group, is still being made. */
const soon = new Set([
  'LEADER_NOT_AVAILABLE',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
])

async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      const maybeSoon =
        isUnknownTopic(error) || protocolCodesOf(error).some((code) => soon.has(code))
      if (!maybeSoon || attempt >= clusterReadyAttemptsMax) throw error
      await new Promise((resolve) => setTimeout(resolve, clusterReadyDelayMs))
    }
  }
}

function descriptionOf(metadata: ClusterMetadata, topic: string): TopicDescription {
  const found = metadata.topics.get(topic)
  if (found === undefined) {
    throw new MillraceError('kafka-unavailable', `Kafka does not describe topic "${topic}"`)
  }
  return { topic, topicId: found.id, partitions: found.partitionsCount }
}

function partitionsOf({ topic, partitions }: TopicDescription): readonly TopicPartition[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
}
