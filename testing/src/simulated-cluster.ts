import {
  type IncomingRecord,
  MillraceError,
  type OutgoingRecord,
  type Random,
  type SendOutcome,
  type TopicDescription,
  type TopicPartition,
  type TopicRequest,
} from '@millrace/kit'
import type { Agenda } from './agenda.ts'
import { SimulatedGroup } from './simulated-group.ts'

export interface ClusterOptions {
  readonly agenda: Agenda
  readonly random: Random
  /** Called for each record, in the step that appends it. */
  readonly appended: (record: IncomingRecord) => void
}

interface Topic {
  readonly topicId: string
  readonly logs: IncomingRecord[][]
}

/**
 * A Kafka in memory: topics with partitions of bytes, groups with offsets. What a client sees of
 * it, and when, is the schedule's matter.
 */
export class SimulatedCluster {
  readonly #options: ClusterOptions
  readonly #topics = new Map<string, Topic>()
  readonly #groups = new Map<string, SimulatedGroup>()
  readonly #watchers = new Set<() => void>()
  #topicsMade = 0
  #wipes = 0
  #isAway = false

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  get clusterId(): string {
    return `cluster-${this.#wipes}`
  }

  get isAway(): boolean {
    return this.#isAway
  }

  get groups(): ReadonlyMap<string, SimulatedGroup> {
    return this.#groups
  }

  /** Nobody answers any more, and nothing is forgotten. */
  leave(): void {
    this.#isAway = true
    for (const group of this.#groups.values()) group.disconnect('Kafka is away')
  }

  comeBack(): void {
    this.#isAway = false
    this.#changed()
  }

  /** The disk is emptied: no topics, no groups, and another cluster id. */
  wipe(): void {
    this.#wipes += 1
    this.#topics.clear()
    const groups = [...this.#groups.values()]
    this.#groups.clear()
    for (const group of groups) group.forget()
  }

  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  assertHere(): void {
    if (this.#isAway) throw away()
  }

  ensureTopic({ topic, partitions }: TopicRequest): TopicDescription {
    this.assertHere()
    if (!this.#topics.has(topic)) {
      this.#topicsMade += 1
      const logs = Array.from({ length: partitions }, (): IncomingRecord[] => [])
      this.#topics.set(topic, { topicId: `topic-${this.#topicsMade}`, logs })
      for (const group of this.#groups.values()) group.topicMade(topic)
    }
    return this.describe(topic)
  }

  describe(topic: string): TopicDescription {
    this.assertHere()
    const found = this.#topics.get(topic)
    if (found === undefined) {
      throw new MillraceError('kafka-unavailable', `topic "${topic}" does not exist`)
    }
    return { topic, topicId: found.topicId, partitions: found.logs.length }
  }

  /** Partitions of a topic; none where it does not exist. */
  partitionsOf(topic: string): readonly TopicPartition[] {
    const logs = this.#topics.get(topic)?.logs ?? []
    return logs.map((_, partition) => ({ topic, partition }))
  }

  append({ topic, partition }: TopicPartition, records: readonly OutgoingRecord[]): SendOutcome {
    if (this.#isAway) return { kind: 'unavailable', code: 'AWAY', message: 'Kafka is away' }
    const log = this.#topics.get(topic)?.logs[partition]
    if (log === undefined) {
      const message = `topic "${topic}" has no partition ${partition}`
      return { kind: 'refused', code: 'UNKNOWN_TOPIC_OR_PARTITION', message }
    }
    const baseOffset = BigInt(log.length)
    for (const record of records) {
      const appended = { ...record, topic, partition, offset: BigInt(log.length) }
      log.push(appended)
      this.#options.appended(appended)
    }
    this.#changed()
    return { kind: 'sent', baseOffset }
  }

  read({ topic, partition }: TopicPartition, offset: bigint, recordsMax: number) {
    const log = this.#topics.get(topic)?.logs[partition] ?? []
    return log.slice(Number(offset), Number(offset) + recordsMax)
  }

  end({ topic, partition }: TopicPartition): bigint {
    return BigInt(this.#topics.get(topic)?.logs[partition]?.length ?? 0)
  }

  /** See `Transport.offsetsAt`. */
  offsetAt(place: TopicPartition, at: 'start' | 'end' | number): bigint {
    if (at === 'start') return 0n
    if (at === 'end') return this.end(place)
    const log = this.#topics.get(place.topic)?.logs[place.partition] ?? []
    return log.find(({ timestampMs }) => timestampMs >= at)?.offset ?? this.end(place)
  }

  topicId(topic: string): string | null {
    return this.#topics.get(topic)?.topicId ?? null
  }

  group(name: string): SimulatedGroup {
    const { agenda, random } = this.#options
    const known = this.#groups.get(name)
    const group = known ?? new SimulatedGroup({ name, cluster: this, agenda, random })
    this.#groups.set(name, group)
    return group
  }

  /** Every partition of every topic. */
  all(): readonly TopicPartition[] {
    return [...this.#topics.keys()].flatMap((topic) => this.partitionsOf(topic))
  }

  #changed(): void {
    for (const changed of this.#watchers) changed()
  }
}

export function away(): MillraceError {
  return new MillraceError('kafka-unavailable', 'the simulated Kafka is away', { retriable: true })
}
