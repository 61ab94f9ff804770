import { Consumer, type GroupAssignment, ListOffsetTimestamps } from '@platformatic/kafka'
import { heartbeatMs, rebalanceTimeoutMs, sessionTimeoutMs } from '../limits.ts'
import { clientOptions } from './kafka-client.ts'
import { codeOf } from './kafka-errors.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import { assignRange } from './range-assignor.ts'
import type { CommitOutcome, TopicPartition } from './transport.ts'

export interface MembershipOptions {
  readonly settings: KafkaSettings
  readonly group: string
  readonly instanceId: string
  readonly topics: readonly string[]
  /** Awaited before the group is joined, and joined again: all partitions are about to leave. */
  readonly revoke: () => Promise<void>
  readonly joined: (assignment: readonly TopicPartition[]) => void
  /** The client has given up; the membership is to be closed and opened anew. */
  readonly lost: (error: Error) => void
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: bigint
}

/** Errors after which a commit must not be tried again: the group has moved on. */
const fencing = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
  'STALE_MEMBER_EPOCH',
])

/**
 * Our place in a consumer group: static membership (KIP-345) and eager rebalances by the range
 * assignor. The client sends JoinGroup as soon as a heartbeat tells of a rebalance; only its
 * hook for the subscription's user data lets us finish our work first, so we drain in there.
 * Meanwhile no heartbeat is sent: a drain must be shorter than the session.
 */
export class KafkaMembership {
  readonly #consumer: Consumer
  readonly #topics: readonly string[]
  #closed = false

  constructor({ settings, group, instanceId, topics, revoke, joined, lost }: MembershipOptions) {
    this.#topics = topics
    this.#consumer = new Consumer({
      ...clientOptions(settings),
      groupId: group,
      groupInstanceId: instanceId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      heartbeatInterval: heartbeatMs,
      autocommit: false,
      protocols: [{ name: 'range', version: 1 }],
      partitionAssigner: assignRange,
      protocolsMetadata: async () => {
        await revoke()
        return Buffer.alloc(0)
      },
    })
    this.#consumer.on('consumer:group:join', ({ assignments = [] }) => {
      if (!this.#closed) joined(assignments.flatMap(partitionsOf))
    })
    // A failed rejoin ends the client's heartbeats for good, and is told by this event only.
    this.#consumer.on('error', (error: Error) => {
      if (!this.#closed) lost(error)
    })
  }

  get generation(): number {
    return this.#consumer.generationId
  }

  get client(): Consumer {
    return this.#consumer
  }

  async join(): Promise<void> {
    this.#consumer.topics.trackAll(...this.#topics)
    await this.#consumer.joinGroup({ partitionAssigner: assignRange })
  }

  /** Where the group left off; the earliest offset where it has committed nothing. */
  async positions(assignment: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    if (assignment.length === 0) return []
    const byTopic = Map.groupBy(assignment, ({ topic }) => topic)
    const committed = await this.#consumer.listCommittedOffsets({
      topics: [...byTopic].map(([topic, places]) => ({ topic, partitions: places.map(numberOf) })),
    })
    const earliest = await this.#consumer.listOffsets({
      topics: [...byTopic.keys()],
      partitions: Object.fromEntries([...byTopic].map(([t, places]) => [t, places.map(numberOf)])),
      timestamp: ListOffsetTimestamps.EARLIEST,
    })
    return assignment.map(({ topic, partition }) => {
      const passed = committed.get(topic)?.[partition] ?? -1n
      const offset = passed >= 0n ? passed : (earliest.get(topic)?.[partition] ?? 0n)
      return { topic, partition, offset }
    })
  }

  async commit(offsets: readonly PartitionOffset[]): Promise<CommitOutcome> {
    try {
      // The client lets a commit without leader epoch through as -1, "unknown".
      await this.#consumer.commit({
        offsets: offsets.map((offset) => ({ ...offset, leaderEpoch: -1 })),
      })
      return { kind: 'committed' }
    } catch (error) {
      const code = codeOf(error)
      if (fencing.has(code)) return { kind: 'fenced', code }
      const message = error instanceof Error ? error.message : String(error)
      return { kind: 'unavailable', code, message }
    }
  }

  /** Gives up our place, so that the group shares out anew: a static member's return is no reason. */
  async leave(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#consumer.leaveGroup(true, (error) => (error ? reject(error) : resolve()))
    await promise
  }

  /**
   * Ends heartbeats without a word to the group, which keeps our place until the session ends.
   * A client with an open connection would leave the group, so the connections go first.
   */
  async close(): Promise<void> {
    this.#closed = true
    await this.#consumer.connections.close()
    await this.#consumer.close(true)
  }
}

function partitionsOf({ topic, partitions }: GroupAssignment): TopicPartition[] {
  return partitions.map((partition) => ({ topic, partition }))
}

function numberOf({ partition }: TopicPartition): number {
  return partition
}
