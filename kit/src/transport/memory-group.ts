import type { Clock, Timer } from '../clock.ts'
import { sessionTimeoutMs } from '../limits.ts'
import type { MemoryCluster } from './memory-cluster.ts'
import { deal } from './stream-assignor.ts'
import { type CommitPosition, partitionKey, type TopicPartition } from './transport.ts'

/** A member as its group sees it. */
export interface MemoryMember {
  readonly topics: readonly string[]
  readonly streams: ReadonlyMap<string, string>
  /** These are its own from now on. */
  assign(partitions: readonly TopicPartition[], generation: number): void
  /** Awaited: what leaves it is finished and committed first. */
  revoke(partitions: readonly TopicPartition[]): Promise<void>
  /** Another has taken its place, or the group is gone. */
  lose(): void
  /** It is to give everything back and come again: a topic of its is gone. */
  restart(): void
  /** Nobody answers any more. */
  disconnect(): void
}

/** What a group keeps of a partition. */
export interface MemoryCommit {
  readonly offset: bigint
  readonly metadata: string
}

interface Place {
  member: MemoryMember
  /** What the member reads, or, while it is away, is kept for it. */
  owned: readonly TopicPartition[]
  generation: number
  /** Set while the member is away and its session has not ended. */
  away: Timer | null
}

/**
 * A consumer group with static members (KIP-345) and cooperative rebalances (KIP-429), as
 * `KafkaMembership` takes part in: a round begins when nobody is away, deals, and is followed by
 * another as long as somebody had to give something up.
 */
export class MemoryGroup {
  readonly #cluster: MemoryCluster
  readonly #clock: Clock
  readonly #places = new Map<string, Place>()
  readonly #offsets = new Map<string, MemoryCommit>()
  #rounds: Promise<void> = Promise.resolve()
  /** Several joins at once are one round. */
  #isRoundDue = false
  #returned: () => void = () => {}
  #generation = 0
  #dealt: ReadonlyMap<string, number> = new Map()

  constructor(cluster: MemoryCluster, clock: Clock) {
    this.#cluster = cluster
    this.#clock = clock
  }

  join(instanceId: string, member: MemoryMember): void {
    const place = this.#places.get(instanceId)
    if (place === undefined) {
      this.#places.set(instanceId, { member, owned: [], generation: -1, away: null })
      this.#roundSoon()
      return
    }
    place.away?.cancel()
    place.away = null
    if (place.member !== member) place.member.lose()
    place.member = member
    if (this.#isRoundDue || this.#isStale(member)) {
      // It comes into a round, and reads nothing yet.
      place.owned = []
      this.#returned()
      this.#roundSoon()
      return
    }
    // KIP-345: back within the session, it takes its place and partitions without a round.
    this.#rounds = this.#rounds.then(() => {
      if (place.member === member) member.assign(place.owned, this.#generation)
    })
  }

  /** The member is gone without a word: its place is kept until the session ends. */
  leaveSilently(instanceId: string, member: MemoryMember): void {
    const place = this.#places.get(instanceId)
    if (place === undefined || place.member !== member || place.away !== null) return
    place.away = this.#clock.after(sessionTimeoutMs, () => {
      this.#places.delete(instanceId)
      this.#returned()
      this.#roundSoon()
    })
  }

  endSessions(): void {
    for (const { away } of this.#places.values()) away?.cancel()
  }

  disconnect(): void {
    for (const { member, away } of this.#places.values()) {
      if (away === null) member.disconnect()
    }
  }

  /** The group is gone with the cluster's data. */
  dissolve(): void {
    this.endSessions()
    const members = [...this.#places.values()].filter(({ away }) => away === null)
    this.#places.clear()
    for (const { member } of members) member.lose()
  }

  forgetTopic(topic: string): void {
    for (const key of this.#offsets.keys()) {
      if (key.startsWith(`${topic}/`)) this.#offsets.delete(key)
    }
    for (const place of this.#places.values()) {
      const isReader = place.owned.some((at) => at.topic === topic)
      if (isReader && place.away === null) place.member.restart()
    }
  }

  isOwner(instanceId: string, member: MemoryMember, at: TopicPartition): boolean {
    const place = this.#places.get(instanceId)
    const key = partitionKey(at)
    return place?.member === member && place.owned.some((owned) => partitionKey(owned) === key)
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

  /** Topics have other partitions than were dealt. */
  #isStale({ topics }: MemoryMember): boolean {
    return topics.some((topic) => this.#count(topic) !== (this.#dealt.get(topic) ?? 0))
  }

  #count(topic: string): number {
    return this.#cluster.topicId(topic) === null ? 0 : this.#cluster.describe(topic).partitions
  }

  #roundSoon(): void {
    if (this.#isRoundDue) return
    this.#isRoundDue = true
    this.#rounds = this.#rounds.then(() => this.#round())
  }

  async #round(): Promise<void> {
    while ([...this.#places.values()].some(({ away }) => away !== null)) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#returned = resolve
      await promise
    }
    this.#isRoundDue = false
    this.#generation += 1
    const members = [...this.#places].map(([name, { member, owned, generation }]) => {
      return { name, topics: member.topics, owned, generation }
    })
    const topics = new Set(members.flatMap((member) => member.topics))
    this.#dealt = new Map([...topics].map((topic) => [topic, this.#count(topic)]))
    const all = [...this.#places.values()]
    const streams = new Map(all.flatMap(({ member }) => [...member.streams]))
    const dealt = deal(members, { counts: this.#dealt, streams })
    const given = [...this.#places].map(([name, place]) => this.#give(place, dealt.get(name) ?? []))
    if ((await Promise.all(given)).some((hasGivenUp) => hasGivenUp)) this.#roundSoon()
  }

  /** True where the member had to give something up, which others wait for. */
  async #give(place: Place, dealt: readonly TopicPartition[]): Promise<boolean> {
    const { member } = place
    const coming = without(dealt, place.owned)
    const leaving = without(place.owned, dealt)
    place.owned = [...place.owned, ...coming]
    place.generation = this.#generation
    if (coming.length > 0) member.assign(coming, this.#generation)
    if (leaving.length === 0) return false
    await member.revoke(leaving)
    if (place.member === member) place.owned = without(place.owned, leaving)
    return true
  }
}

function without(
  partitions: readonly TopicPartition[],
  others: readonly TopicPartition[],
): readonly TopicPartition[] {
  const keys = new Set(others.map(partitionKey))
  return partitions.filter((at) => !keys.has(partitionKey(at)))
}
