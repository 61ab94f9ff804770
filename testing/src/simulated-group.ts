import type { CommitPosition, Random, Timer, TopicPartition } from '@millrace/kit'
import { partitionKey } from '@millrace/kit/inside'
import type { Agenda } from './agenda.ts'
import { drawBelow } from './chance.ts'
import { sessionMs } from './limits.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'

/** A consumption, as its group sees it. */
export interface GroupClient {
  readonly instanceId: string
  readonly topics: readonly string[]
  /** Hands partitions over; calls `done` when that is over, or took too long. */
  release(partitions: readonly TopicPartition[], done: () => void): void
  take(partitions: readonly TopicPartition[], generation: number): void
  /** It is no member any more. */
  lose(reason: string): void
}

export interface Committed {
  readonly offset: bigint
  readonly metadata: string
}

interface Member {
  client: GroupClient
  readonly owned: Map<string, TopicPartition>
  /** Set while nothing is heard of it. */
  silence: Timer | null
}

export interface GroupOptions {
  readonly name: string
  readonly cluster: SimulatedCluster
  readonly agenda: Agenda
  readonly random: Random
}

/**
 * A consumer group, as its coordinator keeps it. Each rebalance deals the partitions anew, by
 * chance, and moves them one by one: who has one hands it over before the next is given it.
 *
 * G1. A partition has one owner at most, by the coordinator's reckoning. One who was silent for a
 *     session does not know yet that it owns nothing any more.
 * G2. Partitions of one number are given to one member, so that topics of one stream go together.
 * G3. Only the owner commits, and a commit never moves an offset back.
 */
export class SimulatedGroup {
  readonly #options: GroupOptions
  readonly #members = new Map<string, Member>()
  readonly #offsets = new Map<string, Committed>()
  /** Who is to have each partition number. */
  #plan: readonly string[] = []
  #generation = 0
  #isDealing = false

  constructor(options: GroupOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#members.size
  }

  /** A member that is back within its session takes its place without a rebalance (KIP-345). */
  join(client: GroupClient): void {
    const known = this.#members.get(client.instanceId)
    if (known === undefined) {
      this.#members.set(client.instanceId, { client, owned: new Map(), silence: null })
      this.rebalance()
      return
    }
    const isAnother = known.client !== client
    known.silence?.cancel()
    known.silence = null
    if (isAnother) known.client.lose('another instance has taken its place')
    known.client = client
    client.take([...known.owned.values()], this.#generation)
    this.#give()
  }

  /** Nothing is heard of a member: when its session is over, the others get what it had. */
  silence(client: GroupClient): void {
    const member = this.#members.get(client.instanceId)
    if (member?.client !== client || member.silence !== null) return
    const { agenda, name } = this.#options
    member.silence = agenda.after(null, sessionMs, {
      what: `Kafka ends the session of ${client.instanceId} in the group ${name}`,
      fire: () => {
        this.#members.delete(client.instanceId)
        this.rebalance()
      },
    })
  }

  /** A silent member speaks again: it is told if its session is over. */
  speak(client: GroupClient): void {
    const member = this.#members.get(client.instanceId)
    if (member?.client !== client) {
      client.lose('its session is over')
      return
    }
    member.silence?.cancel()
    member.silence = null
  }

  disconnect(reason: string): void {
    for (const { client } of this.#members.values()) client.lose(reason)
  }

  /** The group is forgotten, with its offsets and members. */
  forget(): void {
    for (const { silence } of this.#members.values()) silence?.cancel()
    this.disconnect('Kafka was wiped')
    this.#members.clear()
  }

  topicMade(topic: string): void {
    const isWanted = [...this.#members.values()].some(({ client }) => client.topics.includes(topic))
    if (isWanted) this.rebalance()
  }

  /** Deals the partitions anew, soon: several reasons at once are one rebalance. */
  rebalance(): void {
    if (this.#isDealing) return
    this.#isDealing = true
    const { agenda, name } = this.#options
    agenda.add({
      life: null,
      what: `Kafka rebalances the group ${name}`,
      perform: () => {
        this.#isDealing = false
        this.#deal()
      },
    })
  }

  isOwner(client: GroupClient, at: TopicPartition): boolean {
    const member = this.#members.get(client.instanceId)
    return member?.client === client && member.owned.has(partitionKey(at))
  }

  /** G3. */
  commit({ offset, metadata = '', ...at }: CommitPosition): void {
    const key = partitionKey(at)
    if (offset < (this.#offsets.get(key)?.offset ?? 0n)) return
    this.#offsets.set(key, { offset, metadata })
  }

  committed(at: TopicPartition): Committed | null {
    return this.#offsets.get(partitionKey(at)) ?? null
  }

  /** The coordinator dies, and the next one knows older commits: all come back, and read again. */
  forgetCommits(random: Random): void {
    for (const [key, { offset }] of this.#offsets) {
      const back = BigInt(drawBelow(random, Number(offset) + 1))
      this.#offsets.set(key, { offset: back, metadata: '' })
    }
    this.disconnect('its coordinator is gone')
  }

  #deal(): void {
    const { random, cluster } = this.#options
    this.#generation += 1
    const ids = [...this.#members.keys()].sort()
    const partitionsMax = Math.max(
      0,
      ...this.#topics().map((at) => cluster.partitionsOf(at).length),
    )
    this.#plan = Array.from(
      { length: ids.length === 0 ? 0 : partitionsMax },
      () => ids[drawBelow(random, ids.length)] ?? '',
    )
    const isEager = random() < 0.3
    for (const [id, member] of this.#members) {
      const leaving = [...member.owned.values()].filter(
        ({ partition }) => isEager || this.#plan[partition] !== id,
      )
      if (leaving.length === 0) continue
      const { client } = member
      client.release(leaving, () => {
        const now = this.#members.get(id)
        if (now?.client !== client) return
        for (const at of leaving) now.owned.delete(partitionKey(at))
        this.#give()
      })
    }
    this.#give()
  }

  /** Gives what nobody has to whom it is meant for (G1, G2). */
  #give(): void {
    const { cluster } = this.#options
    const given = new Map<Member, TopicPartition[]>()
    const owned = new Set([...this.#members.values()].flatMap((member) => [...member.owned.keys()]))
    for (const topic of this.#topics()) {
      for (const at of cluster.partitionsOf(topic)) {
        const member = this.#members.get(this.#plan[at.partition] ?? '')
        if (member === undefined || owned.has(partitionKey(at))) continue
        if (!member.client.topics.includes(topic)) continue
        member.owned.set(partitionKey(at), at)
        given.set(member, [...(given.get(member) ?? []), at])
      }
    }
    for (const [{ client }, partitions] of given) client.take(partitions, this.#generation)
  }

  #topics(): readonly string[] {
    return [...new Set([...this.#members.values()].flatMap(({ client }) => client.topics))]
  }
}
