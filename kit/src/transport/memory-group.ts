import type { Clock, Timer } from '../clock.ts'
import { sessionTimeoutMs } from '../limits.ts'
import type { MemoryCluster } from './memory-cluster.ts'
import { type CommitPosition, partitionKey, type TopicPartition } from './transport.ts'

/** A member as its group sees it. */
export interface MemoryMember {
  readonly topics: readonly string[]
  /** Awaited, as a rebalance awaits its members. */
  revoke(): Promise<void>
  assign(partitions: readonly TopicPartition[]): void
  /** The connection is gone, or another has taken our place. */
  lose(): void
}

/** What a group keeps of a partition. */
export interface MemoryCommit {
  readonly offset: bigint
  readonly metadata: string
}

interface Place {
  member: MemoryMember
  partitions: readonly TopicPartition[]
  /** Set while the member is away and its session has not ended. */
  away: Timer | null
}

/**
 * A consumer group with static members and eager rebalances, as `KafkaMembership` takes part in.
 * A rebalance takes everything from everybody, waits, and deals it anew by range.
 */
export class MemoryGroup {
  readonly #cluster: MemoryCluster
  readonly #clock: Clock
  readonly #places = new Map<string, Place>()
  readonly #offsets = new Map<string, MemoryCommit>()
  #generation = 0
  #rebalances: Promise<void> = Promise.resolve()
  /** Several joins at once are one rebalance. */
  #rebalanceDue = false

  constructor(cluster: MemoryCluster, clock: Clock) {
    this.#cluster = cluster
    this.#clock = clock
  }

  join(instanceId: string, member: MemoryMember): void {
    const place = this.#places.get(instanceId)
    if (place === undefined) {
      this.#places.set(instanceId, { member, partitions: [], away: null })
      this.#rebalance()
      return
    }
    // KIP-345: back within the session, it takes its place and partitions without a rebalance.
    place.away?.cancel()
    place.away = null
    if (place.member !== member) place.member.lose()
    place.member = member
    this.#rebalances = this.#rebalances.then(() => {
      if (place.member === member) member.assign(place.partitions)
    })
  }

  /** The member is gone without a word: its place is kept until the session ends. */
  leaveSilently(instanceId: string, member: MemoryMember): void {
    const place = this.#places.get(instanceId)
    if (place === undefined || place.member !== member || place.away !== null) return
    place.away = this.#clock.after(sessionTimeoutMs, () => {
      this.#places.delete(instanceId)
      this.#rebalance()
    })
  }

  endSessions(): void {
    for (const { away } of this.#places.values()) away?.cancel()
  }

  disconnect(): void {
    for (const { member } of this.#places.values()) member.lose()
  }

  forgetTopic(topic: string): void {
    for (const key of this.#offsets.keys()) {
      if (key.startsWith(`${topic}/`)) this.#offsets.delete(key)
    }
    for (const { member, partitions } of this.#places.values()) {
      if (partitions.some((partition) => partition.topic === topic)) member.lose()
    }
  }

  isOwner(instanceId: string, member: MemoryMember, at: TopicPartition): boolean {
    const place = this.#places.get(instanceId)
    return (
      place?.member === member &&
      place.partitions.some((owned) => partitionKey(owned) === partitionKey(at))
    )
  }

  commit({ offset, metadata = '', ...at }: CommitPosition): void {
    const key = partitionKey(at)
    if (offset >= (this.#offsets.get(key)?.offset ?? 0n)) {
      this.#offsets.set(key, { offset, metadata })
    }
  }

  committed(at: TopicPartition): MemoryCommit | null {
    return this.#offsets.get(partitionKey(at)) ?? null
  }

  get generation(): number {
    return this.#generation
  }

  #rebalance(): void {
    if (this.#rebalanceDue) return
    this.#rebalanceDue = true
    this.#rebalances = this.#rebalances.then(async () => {
      this.#rebalanceDue = false
      await Promise.all([...this.#places.values()].map(({ member }) => member.revoke()))
      this.#deal()
      this.#generation += 1
      for (const place of this.#places.values()) {
        if (place.away === null) place.member.assign(place.partitions)
      }
    })
  }

  #deal(): void {
    const places = [...this.#places].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, place]) => place)
    for (const place of places) place.partitions = []
    for (const topic of new Set(places.flatMap(({ member }) => member.topics))) {
      if (this.#cluster.topicId(topic) === null) continue
      const takers = places.filter(({ member }) => member.topics.includes(topic))
      const { partitions } = this.#cluster.describe(topic)
      for (let partition = 0; partition < partitions; partition += 1) {
        const taker = takers[Math.floor((partition * takers.length) / partitions)]
        if (taker !== undefined) taker.partitions = [...taker.partitions, { topic, partition }]
      }
    }
  }
}
