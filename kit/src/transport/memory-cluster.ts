import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { messageBytesMax } from '../limits.ts'
import { MemoryGroup } from './memory-group.ts'
import type {
  IncomingRecord,
  OutgoingRecord,
  SendOutcome,
  TopicDescription,
  TopicPartition,
  TopicRequest,
} from './transport.ts'

/**
 * A Kafka in memory, for tests: topics with partitions, groups with offsets, and the ways in
 * which a cluster fails. It stores bytes, and knows the time only by the clock it is given.
 */
export class MemoryCluster implements Disposable {
  readonly #clock: Clock
  readonly #topics = new Map<string, MemoryTopic>()
  readonly #groups = new Map<string, MemoryGroup>()
  readonly #watchers = new Set<() => void>()
  #wipes = 0
  #topicsMade = 0
  #reachable = true
  #sendFault: SendFault | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get clusterId(): string {
    return `memory-${this.#wipes}`
  }

  get reachable(): boolean {
    return this.#reachable
  }

  /** Nobody answers any more, and nothing is forgotten. */
  stop(): void {
    this.#reachable = false
    for (const group of this.#groups.values()) group.disconnect()
  }

  start(): void {
    this.#reachable = true
    this.#changed()
  }

  /** The disk is emptied: no topics, no groups, and another cluster id. */
  wipe(): void {
    this.#wipes += 1
    this.#topics.clear()
    const groups = [...this.#groups.values()]
    this.#groups.clear()
    for (const group of groups) group.dissolve()
    this.#changed()
  }

  deleteTopic(topic: string): void {
    this.#topics.delete(topic)
    for (const group of this.#groups.values()) group.forgetTopic(topic)
    this.#changed()
  }

  /** Decides about every send from now on: null lets it through. */
  onSend(fault: SendFault | null): void {
    this.#sendFault = fault
  }

  /** Calls `changed` after every change that a reader may wait for. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  assertReachable(): void {
    if (this.#reachable) return
    throw new MillraceError('kafka-unavailable', 'the cluster in memory is stopped', {
      retriable: true,
    })
  }

  ensureTopic({ topic, partitions }: TopicRequest): TopicDescription {
    this.assertReachable()
    const existing = this.#topics.get(topic)
    if (existing === undefined) {
      this.#topicsMade += 1
      const logs = Array.from({ length: partitions }, (): IncomingRecord[] => [])
      this.#topics.set(topic, { topicId: `topic-${this.#topicsMade}`, logs })
      this.#changed()
    }
    return this.describe(topic)
  }

  describe(topic: string): TopicDescription {
    this.assertReachable()
    const found = this.#topics.get(topic)
    if (found === undefined) {
      throw new MillraceError('kafka-unavailable', `topic "${topic}" does not exist`)
    }
    return { topic, topicId: found.topicId, partitions: found.logs.length }
  }

  append({ topic, partition }: TopicPartition, records: readonly OutgoingRecord[]): SendOutcome {
    if (!this.#reachable) return stopped
    const fault = this.#sendFault?.({ topic, partition }, records) ?? null
    if (fault !== null && !fault.stored) return fault.outcome
    const log = this.#topics.get(topic)?.logs[partition]
    if (log === undefined) return unknownPartition({ topic, partition })
    if (records.some((record) => bytesOf(record) > messageBytesMax)) return tooLarge
    const baseOffset = BigInt(log.length)
    for (const record of records) {
      log.push({ ...record, topic, partition, offset: BigInt(log.length) })
    }
    this.#changed()
    return fault?.outcome ?? { kind: 'sent', baseOffset }
  }

  read({ topic, partition }: TopicPartition, offset: bigint, recordsMax: number) {
    const log = this.#topics.get(topic)?.logs[partition] ?? []
    return log.slice(Number(offset), Number(offset) + recordsMax)
  }

  endOffset({ topic, partition }: TopicPartition): bigint {
    return BigInt(this.#topics.get(topic)?.logs[partition]?.length ?? 0)
  }

  /** See `Transport.offsetsAt`. */
  offsetAt(place: TopicPartition, at: 'start' | 'end' | number): bigint {
    if (at === 'start') return 0n
    const end = this.endOffset(place)
    if (at === 'end') return end
    const log = this.#topics.get(place.topic)?.logs[place.partition] ?? []
    return log.find(({ timestampMs }) => timestampMs >= at)?.offset ?? end
  }

  topicId(topic: string): string | null {
    return this.#topics.get(topic)?.topicId ?? null
  }

  group(name: string): MemoryGroup {
    const found = this.#groups.get(name) ?? new MemoryGroup(this, this.#clock)
    this.#groups.set(name, found)
    return found
  }

  /** Ends the sessions of members that are away: their timers would keep a process alive. */
  [Symbol.dispose](): void {
    for (const group of this.#groups.values()) group.endSessions()
  }

  #changed(): void {
    for (const changed of this.#watchers) changed()
  }
}

/** What becomes of a send in a test: its answer, and whether its records were stored anyway. */
export type SendFault = (
  at: TopicPartition,
  records: readonly OutgoingRecord[],
) => { readonly outcome: SendOutcome; readonly stored: boolean } | null

interface MemoryTopic {
  readonly topicId: string
  readonly logs: IncomingRecord[][]
}

const stopped: SendOutcome = {
  kind: 'unavailable',
  code: 'STOPPED',
  message: 'the cluster in memory is stopped',
}

const tooLarge: SendOutcome = {
  kind: 'refused',
  code: 'MESSAGE_TOO_LARGE',
  message: `a record is larger than ${messageBytesMax} bytes`,
}

function unknownPartition({ topic, partition }: TopicPartition): SendOutcome {
  return {
    kind: 'refused',
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: `topic "${topic}" has no partition ${partition}`,
  }
}

function bytesOf({ key, value }: OutgoingRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0)
}
