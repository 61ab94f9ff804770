import { FetchIsolationLevels, ListOffsetTimestamps } from '@platformatic/kafka'
import { reconnectDelayMsMin } from '../limits.ts'
import { KafkaAdmin } from './kafka-admin.ts'
import { explained } from './kafka-errors.ts'
import { KafkaFetcher } from './kafka-fetcher.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import type { FetchPosition, PartitionFetch } from './partition-fetch.ts'
import { type ClusterDescription, partitionKey, type TopicPartition } from './transport.ts'

export interface TopicSummary {
  readonly topic: string
  readonly topicId: string
  readonly ranges: readonly PartitionRange[]
}

/** What one partition holds: records from `start` to below `end`. */
export interface PartitionRange extends TopicPartition {
  readonly start: bigint
  /** Of committed records: an open transaction's are not counted. */
  readonly end: bigint
}

export interface GroupSummary {
  readonly group: string
  /** Kafka's word: `Stable`, `Empty`, `PreparingRebalance`, … */
  readonly state: string
  /** Null where Kafka does not say, as it does not of groups that are not a consumer's. */
  readonly members: readonly GroupMember[] | null
  readonly positions: readonly GroupPosition[]
}

export interface GroupMember {
  readonly clientId: string
  readonly host: string
  readonly partitions: readonly TopicPartition[]
}

export interface GroupPosition extends TopicPartition {
  readonly committed: bigint
  readonly end: bigint
}

/**
 * Looks at a Kafka from outside: without a group, and without changing anything. For the command
 * line and for pages that show a cluster. Every error is one clear line.
 */
export class KafkaInspector implements AsyncDisposable {
  readonly #settings: KafkaSettings
  readonly #admin: KafkaAdmin
  readonly #fetcher: KafkaFetcher

  constructor(settings: KafkaSettings) {
    this.#settings = settings
    this.#admin = new KafkaAdmin(settings)
    this.#fetcher = new KafkaFetcher(this.#admin.client, settings)
  }

  async cluster(): Promise<ClusterDescription> {
    return this.#admin.cluster()
  }

  /** All topics but Kafka's internal ones, by name. */
  async topicNames(): Promise<readonly string[]> {
    return explained(this.#settings, async () => (await this.#admin.client.listTopics()).sort())
  }

  /** In the order of `topics`, which all exist. */
  async topics(topics: readonly string[]): Promise<readonly TopicSummary[]> {
    return explained(this.#settings, async () => {
      if (topics.length === 0) return []
      const metadata = await this.#admin.client.metadata({ topics: [...topics], forceUpdate: true })
      const places = topics.flatMap((topic) => {
        const count = metadata.topics.get(topic)?.partitionsCount ?? 0
        return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
      })
      const starts = await this.#offsets(places, ListOffsetTimestamps.EARLIEST)
      const ends = await this.#offsets(places, ListOffsetTimestamps.LATEST)
      const byTopic = Map.groupBy(places, ({ topic }) => topic)
      return topics.map((topic) => ({
        topic,
        topicId: metadata.topics.get(topic)?.id ?? '',
        ranges: (byTopic.get(topic) ?? []).map((place) => ({
          ...place,
          start: starts.get(partitionKey(place)) ?? 0n,
          end: ends.get(partitionKey(place)) ?? 0n,
        })),
      }))
    })
  }

  /** All groups, by name, with how far each has read. */
  async groups(): Promise<readonly GroupSummary[]> {
    return explained(this.#settings, async () => {
      const listed = [...(await this.#admin.client.listGroups()).values()]
      const existing = new Set(await this.#admin.client.listTopics())
      const groups = await Promise.all(
        listed.map(async ({ id: group, state }) => ({
          group,
          state,
          members: await this.#members(group),
          positions: await this.#positions(group, existing),
        })),
      )
      return groups.sort((a, b) => (a.group < b.group ? -1 : 1))
    })
  }

  /**
   * Records from the positions on, as many as one answer of each leader holds, after half a second
   * at most; then perhaps none. Of transactions it gives committed records only.
   */
  async fetch(positions: readonly FetchPosition[]): Promise<readonly PartitionFetch[]> {
    return explained(this.#settings, async () => {
      const leaders = await this.#fetcher.leaders(positions)
      const answers = await Promise.all(
        [...leaders].map(([node, led]) => this.#fetcher.fetch(node, led)),
      )
      const fetched = answers.flat()
      if (fetched.some(({ kind }) => kind === 'moved')) {
        this.#fetcher.forgetMetadata()
        // A new leader takes a moment; without the pause we would ask in a tight circle.
        await new Promise((resolve) => setTimeout(resolve, reconnectDelayMsMin))
      }
      return fetched
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#fetcher.close(), this.#admin.close()])
  }

  async #members(group: string): Promise<readonly GroupMember[] | null> {
    try {
      const described = await this.#admin.client.describeGroups({ groups: [group] })
      const members = described.get(group)?.members.values()
      return [...(members ?? [])].map(({ clientId, clientHost, assignments }) => ({
        clientId,
        host: clientHost.replace(/^\//, ''),
        partitions: [...(assignments?.values() ?? [])].flatMap(({ topic, partitions }) =>
          partitions.map((partition) => ({ topic, partition })),
        ),
      }))
    } catch {
      // Of another protocol, or in the middle of a rebalance: the client cannot decode it.
      return null
    }
  }

  async #positions(
    group: string,
    existing: ReadonlySet<string>,
  ): Promise<readonly GroupPosition[]> {
    const groups = await this.#admin.client.listConsumerGroupOffsets({ groups: [group] })
    const places = groups
      .flatMap(({ topics }) => topics)
      .filter(({ name }) => existing.has(name))
      .flatMap(({ name: topic, partitions }) =>
        partitions
          .filter(({ committedOffset }) => committedOffset >= 0n)
          .map(({ partitionIndex: partition, committedOffset: committed }) => ({
            topic,
            partition,
            committed,
          })),
      )
    const ends = await this.#offsets(places, ListOffsetTimestamps.LATEST)
    return places
      .map((place) => ({ ...place, end: ends.get(partitionKey(place)) ?? place.committed }))
      .sort((a, b) =>
        a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
      )
  }

  /** Of transactions only what is committed counts, as in `fetch`. */
  #offsets(
    places: readonly TopicPartition[],
    timestamp: bigint,
  ): Promise<ReadonlyMap<string, bigint>> {
    return this.#admin.offsets(places, timestamp, FetchIsolationLevels.READ_COMMITTED)
  }
}
