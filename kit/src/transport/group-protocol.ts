import {
  decodeConsumerProtocolAssignment,
  decodeConsumerProtocolSubscription,
  encodeConsumerProtocolAssignment,
  encodeConsumerProtocolSubscription,
  type GroupAssignment,
} from '@platformatic/kafka'
import type { TopicPartition } from './transport.ts'

/**
 * What members of a group tell each other: Kafka's ConsumerProtocol (so that its tools can read
 * it), with what is ours as JSON in the user data. What cannot be read counts as not told.
 */

/** The name under which members offer it; who offers another name cannot be in the group. */
export const groupProtocol = 'co-partitioned-sticky'

/** From a member to the group's leader. */
export interface Subscription {
  readonly topics: readonly string[]
  readonly owned: readonly TopicPartition[]
  /** In which it got what it owns. */
  readonly generation: number
  /** The stream of each topic. */
  readonly streams: ReadonlyMap<string, string>
  /** How many partitions it sees; a topic that it cannot see is missing. */
  readonly counts: ReadonlyMap<string, number>
  /** Grows when the member wants another deal: Kafka begins one when this text changes. */
  readonly wish: number
}

/** From the leader to a member. Kafka keeps it, and gives it again to a member that restarts. */
export interface Assignment {
  readonly partitions: readonly TopicPartition[]
  /** How many partitions of each topic were dealt, to whomever. */
  readonly counts: ReadonlyMap<string, number>
}

const ownedAndGeneration = 2

export function encodeSubscription(subscription: Subscription): Buffer {
  const { topics, owned, generation, streams, counts, wish } = subscription
  return encodeConsumerProtocolSubscription({
    version: ownedAndGeneration,
    topics: [...topics],
    userData: JSON.stringify({ streams: pairs(streams), counts: pairs(counts), wish }),
    ownedPartitions: byTopic(owned),
    generationId: generation,
  })
}

export function decodeSubscription(bytes: Buffer): Subscription {
  const read = decodeConsumerProtocolSubscription(bytes)
  const told = parse(read.userData)
  return {
    topics: read.topics,
    owned: places(read.ownedPartitions),
    generation: read.generationId,
    streams: mapOf(told['streams'], (value) => typeof value === 'string'),
    counts: mapOf(told['counts'], isCount),
    wish: isCount(told['wish']) ? told['wish'] : 0,
  }
}

export function encodeAssignment({ partitions, counts }: Assignment): Buffer {
  return encodeConsumerProtocolAssignment({
    version: ownedAndGeneration,
    assignedPartitions: byTopic(partitions),
    userData: JSON.stringify({ counts: pairs(counts) }),
  })
}

export function decodeAssignment(bytes: Buffer): Assignment {
  const read = decodeConsumerProtocolAssignment(bytes)
  const told = parse(read.userData)
  return {
    partitions: places(read.assignedPartitions),
    counts: mapOf(told['counts'], isCount),
  }
}

function byTopic(partitions: readonly TopicPartition[]): GroupAssignment[] {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, inTopic]) => ({
    topic,
    partitions: inTopic.map(({ partition }) => partition),
  }))
}

function places(assignments: readonly GroupAssignment[]): readonly TopicPartition[] {
  return assignments.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}

/** In a fixed order: Kafka compares the bytes. */
function pairs<Value>(map: ReadonlyMap<string, Value>): readonly (readonly [string, Value])[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1))
}

function parse(userData: Buffer | string | null | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(String(userData ?? ''))
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function mapOf<Value>(
  list: unknown,
  isValue: (value: unknown) => value is Value,
): ReadonlyMap<string, Value> {
  if (!Array.isArray(list)) return new Map()
  const entries: unknown[] = list
  return new Map(
    entries.flatMap((entry): [string, Value][] => {
      if (!Array.isArray(entry)) return []
      const [name, value]: unknown[] = entry
      return typeof name === 'string' && isValue(value) ? [[name, value]] : []
    }),
  )
}
