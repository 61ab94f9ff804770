import { ListOffsetTimestamps } from '@platformatic/kafka'
import type { KafkaAdmin } from './kafka-admin.ts'
import type { GroupApis, KafkaCoordinator } from './kafka-coordinator.ts'
import { codeOf } from './kafka-errors.ts'
import { type KafkaMembership, lostCodes } from './kafka-membership.ts'
import {
  type CommitOutcome,
  type CommitPosition,
  partitionKey,
  type TopicPartition,
} from './transport.ts'

export interface GroupOffsetsOptions {
  readonly coordinator: KafkaCoordinator
  readonly admin: KafkaAdmin
  readonly membership: KafkaMembership
  readonly group: string
  readonly instanceId: string
}

/** Where a partition is to be read on, with what was committed beside it. */
export interface CommittedPosition extends TopicPartition {
  readonly offset: bigint
  readonly metadata: string
}

/**
 * Reads and writes a group's offsets with their metadata, which the client's own calls leave
 * out. It commits as the member that we are: Kafka refuses it from one that it knows no more.
 */
export class GroupOffsets {
  readonly #options: GroupOffsetsOptions
  #takesMetadata = true

  constructor(options: GroupOffsetsOptions) {
    this.#options = options
  }

  /** Where the group left off; the earliest offset where it has committed nothing. */
  async positions(places: readonly TopicPartition[]): Promise<readonly CommittedPosition[]> {
    const committed = await this.#committed(places)
    const isNew = (at: TopicPartition) => !committed.has(partitionKey(at))
    const earliest = await this.#options.admin.offsets(
      places.filter(isNew),
      ListOffsetTimestamps.EARLIEST,
    )
    return places.map(({ topic, partition }) => {
      const key = partitionKey({ topic, partition })
      const found = committed.get(key) ?? { offset: earliest.get(key) ?? 0n, metadata: '' }
      return { topic, partition, ...found }
    })
  }

  async commit(positions: readonly CommitPosition[]): Promise<CommitOutcome> {
    const { membership } = this.#options
    const { generation } = membership
    try {
      await this.#commit(positions, generation)
      return { kind: 'committed' }
    } catch (error) {
      const code = codeOf(error)
      if (code === 'OFFSET_METADATA_TOO_LARGE' && this.#takesMetadata) {
        // A broker whose limit is below Kafka's default. An offset matters more.
        this.#takesMetadata = false
        return this.commit(positions)
      }
      const isBetweenGenerations =
        code === 'ILLEGAL_GENERATION' &&
        (membership.isJoining || generation !== membership.generation)
      if (lostCodes.has(code) && !isBetweenGenerations) return { kind: 'fenced', code }
      const message = error instanceof Error ? error.message : String(error)
      return { kind: 'unavailable', code, message }
    }
  }

  async #commit(positions: readonly CommitPosition[], generation: number): Promise<void> {
    const { coordinator, membership, group, instanceId } = this.#options
    const topics = [...Map.groupBy(positions, ({ topic }) => topic)].map(([name, inTopic]) => ({
      name,
      partitions: inTopic.map(({ partition, offset, metadata = '' }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: -1, // unknown: whoever reads on asks for none
        committedMetadata: this.#takesMetadata ? metadata : '',
      })),
    }))
    await coordinator.call('working', (connection, { commit }) =>
      commit.async(connection, group, generation, membership.memberId, instanceId, topics),
    )
  }

  async #committed(
    places: readonly TopicPartition[],
  ): Promise<ReadonlyMap<string, { readonly offset: bigint; readonly metadata: string }>> {
    const { coordinator, group } = this.#options
    const topics = [...Map.groupBy(places, ({ topic }) => topic)].map(([name, inTopic]) => ({
      name,
      partitionIndexes: inTopic.map(({ partition }) => partition),
    }))
    const response = await coordinator.call('working', async (connection, { fetchOffsets }) =>
      fetchOffsets.async(connection, [{ groupId: group, memberEpoch: -1, topics }], false),
    )
    return new Map(
      topicsIn(response).flatMap(({ name: topic, partitions }) =>
        partitions.flatMap(({ partitionIndex: partition, committedOffset, metadata }) => {
          if (committedOffset < 0n) return []
          const committed = { offset: committedOffset, metadata: metadata ?? '' }
          return [[partitionKey({ topic, partition }), committed] as const]
        }),
      ),
    )
  }
}

/** Version 7 is of one group, and has its topics at the top. */
function topicsIn(response: OffsetFetchResponse): OffsetFetchTopics {
  return 'topics' in response ? response.topics : (response.groups[0]?.topics ?? [])
}

type OffsetFetchResponse = Awaited<ReturnType<GroupApis['fetchOffsets']['async']>>
type OffsetFetchTopics = Extract<
  OffsetFetchResponse,
  { groups: unknown }
>['groups'][number]['topics']
