import type { Connection } from '@platformatic/kafka'
import { systemClock, type Timer } from '../clock.ts'
import { coordinatorRetryMs, heartbeatMs, rebalanceTimeoutMs, sessionTimeoutMs } from '../limits.ts'
import {
  type Assignment,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  groupProtocol,
} from './group-protocol.ts'
import type { GroupApis, JoinGroupResponse, KafkaCoordinator, Lane } from './kafka-coordinator.ts'
import { codeOf, isRefusedByKafka } from './kafka-errors.ts'
import { deal } from './stream-assignor.ts'
import { partitionKey, type TopicPartition } from './transport.ts'

export interface MembershipOptions {
  readonly coordinator: KafkaCoordinator
  readonly group: string
  readonly instanceId: string
  readonly topics: readonly string[]
  readonly streams: ReadonlyMap<string, string>
  /** How many partitions these topics have; one that cannot be seen is left out. */
  readonly count: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>
  /** What we read at the moment. */
  readonly owned: () => readonly TopicPartition[]
  /** These are ours from now on. */
  readonly assign: (partitions: readonly TopicPartition[], generation: number) => Promise<void>
  /** Finishes and commits what leaves us. The group waits for it, so it has a limit. */
  readonly revoke: (partitions: readonly TopicPartition[]) => Promise<void>
  /** The coordinator cannot be reached; we go on trying. */
  readonly troubled: (error: unknown) => void
}

/** Another member may have our partitions by now: nothing of them may be committed any more. */
export class GroupLost extends Error {
  override readonly name = 'GroupLost'
}

/** What Kafka says to a member that is none any more. */
export const lostCodes: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
])

/**
 * Our place in a consumer group: a static member (KIP-345) of cooperative rebalances (KIP-429).
 *
 * M1. We go on reading while the group shares out anew, and give up only what moves.
 * M2. What moves is finished and committed before we ask for the next round, which gives it to
 *     another; heartbeats go on meanwhile.
 * M3. When Kafka says that we are out, or has not said for a whole session that we are in, the
 *     membership ends with `GroupLost`.
 * M4. If topics have more partitions than were dealt, we ask for a round: Kafka does not when
 *     partitions are added, nor for a member that comes back with other topics.
 */
export class KafkaMembership {
  readonly #options: MembershipOptions
  readonly #ended = Promise.withResolvers<never>()
  #rebalance = Promise.withResolvers<void>()
  #memberId = ''
  #generation = -1
  #isJoining = false
  #isClosed = false
  #isTroubled = false
  #contactMs = 0
  #heart: Timer | null = null
  #dealt: ReadonlyMap<string, number> = new Map()
  #seen: ReadonlyMap<string, number> = new Map()
  #wish = 0
  #wished = ''

  constructor(options: MembershipOptions) {
    this.#options = options
    // Whoever runs us hears of it; nobody may, when we end before that.
    this.#ended.promise.catch(() => {})
  }

  get memberId(): string {
    return this.#memberId
  }

  get generation(): number {
    return this.#generation
  }

  /** Between the request for a round and its assignment: generations are about to change. */
  get isJoining(): boolean {
    return this.#isJoining
  }

  /** Takes part in round after round, until it throws what ended it. */
  async run(): Promise<never> {
    try {
      for (;;) await this.#round()
    } finally {
      this.close()
    }
  }

  /** Tells how many partitions topics have now (M4). */
  recount(counts: ReadonlyMap<string, number>): void {
    this.#seen = counts
    if (this.#generation >= 0 && !this.#isJoining && this.#isShort()) this.#rebalance.resolve()
  }

  /** Ends heartbeats without a word to the group, which keeps our place until the session ends. */
  close(): void {
    this.#isClosed = true
    this.#heart?.cancel()
    this.#ended.reject(new GroupLost('the membership was closed'))
  }

  async #round(): Promise<void> {
    this.#isJoining = true
    this.#rebalance = Promise.withResolvers()
    this.#heart?.cancel()
    const assignment = await this.#asked()
    this.#isJoining = false
    this.#dealt = assignment.counts
    this.#beatLater()
    const owned = this.#options.owned()
    const coming = without(assignment.partitions, owned)
    const leaving = without(owned, assignment.partitions)
    if (coming.length > 0) {
      await this.#unlessEnded(this.#options.assign(coming, this.#generation))
    }
    if (leaving.length > 0) {
      await this.#unlessEnded(this.#options.revoke(leaving)) // M2
      return
    }
    if (this.#isShort()) return
    await this.#unlessEnded(this.#rebalance.promise)
  }

  /** Joins and asks what is ours, as often as the group begins anew meanwhile. */
  async #asked(): Promise<Assignment> {
    for (;;) {
      try {
        const joined = await this.#join()
        this.#memberId = joined.memberId
        this.#generation = joined.generationId
        this.#inContact()
        const assignments = await this.#deal(joined)
        const { assignment } = await this.#call('joining', (connection, { sync }) => {
          const { protocolType, protocolName, generationId, memberId } = joined
          const { group, instanceId } = this.#options
          const member = [group, generationId, memberId, instanceId] as const
          return sync.async(connection, ...member, protocolType, protocolName, assignments)
        })
        this.#inContact()
        return decodeAssignment(assignment)
      } catch (error) {
        await this.#endure(error)
      }
    }
  }

  async #join(): Promise<JoinGroupResponse> {
    const { group, instanceId, topics, streams, owned, count } = this.#options
    this.#seen = await count(topics)
    const metadata = encodeSubscription({
      topics,
      streams,
      owned: owned(),
      generation: this.#generation,
      counts: this.#seen,
      wish: this.#wish,
    })
    const protocols = [{ name: groupProtocol, metadata }]
    return this.#call('joining', (connection, { join }) => {
      const limits = [sessionTimeoutMs, rebalanceTimeoutMs] as const
      const member = [this.#memberId, instanceId, 'consumer'] as const
      return join.async(connection, group, ...limits, ...member, protocols, null)
    })
  }

  /** As the group's leader: who reads what. Nobody else has anything to say. */
  async #deal(joined: JoinGroupResponse) {
    const { leader, memberId, members } = joined
    if (leader !== memberId || joined.skipAssignment) return []
    const told = members.map((member) => ({
      memberId: member.memberId,
      name: member.groupInstanceId ?? member.memberId,
      ...decodeSubscription(member.metadata),
    }))
    const own = await this.#options.count([...new Set(told.flatMap(({ topics }) => topics))])
    const counts = new Map(own)
    for (const [topic, seen] of told.flatMap((member) => [...member.counts])) {
      counts.set(topic, Math.max(seen, counts.get(topic) ?? 0))
    }
    const streams = new Map(told.flatMap((member) => [...member.streams]))
    const dealt = deal(told, { counts, streams })
    return told.map(({ memberId: to, name }) => ({
      memberId: to,
      assignment: encodeAssignment({ partitions: dealt.get(name) ?? [], counts }),
    }))
  }

  /** True once for what has not been wished for yet: a leader of another mind is let be. */
  #isShort(): boolean {
    const more = this.#options.topics.filter((topic) => {
      return (this.#seen.get(topic) ?? 0) > (this.#dealt.get(topic) ?? 0)
    })
    if (more.length === 0) return false
    const wished = more.map((topic) => `${topic} ${this.#seen.get(topic)}`).join()
    if (wished === this.#wished) return false
    this.#wished = wished
    this.#wish += 1
    return true
  }

  #beatLater(): void {
    if (this.#isClosed) return
    this.#heart = systemClock.after(heartbeatMs, () => {
      const { generation } = this
      this.#beat(generation).then(
        () => this.#heard(generation, null),
        (error: unknown) => this.#heard(generation, error),
      )
    })
  }

  async #beat(generation: number): Promise<void> {
    const { group, instanceId } = this.#options
    await this.#call('working', (connection, { heartbeat }) =>
      heartbeat.async(connection, group, generation, this.#memberId, instanceId),
    )
  }

  #heard(generation: number, error: unknown): void {
    if (this.#isClosed || this.#isJoining || generation !== this.#generation) return
    const code = error === null ? null : codeOf(error)
    if (code === null || code === 'REBALANCE_IN_PROGRESS') {
      this.#inContact()
      if (code !== null) this.#rebalance.resolve()
      this.#beatLater()
      return
    }
    const end = this.#endOf(error)
    if (end !== null) {
      this.#ended.reject(end)
      return
    }
    this.#trouble(error)
    this.#beatLater()
  }

  /** Waits a little before the next attempt, or throws where there is to be none. */
  async #endure(error: unknown): Promise<void> {
    if (codeOf(error) === 'REBALANCE_IN_PROGRESS') return
    const end = this.#generation < 0 ? error : this.#endOf(error)
    if (end !== null) throw end
    this.#trouble(error)
    await this.#unlessEnded(after(coordinatorRetryMs))
  }

  /** What ends the membership after this error; null where it may pass (M3). */
  #endOf(error: unknown): unknown {
    if (this.#isClosed) return error
    const code = codeOf(error)
    if (lostCodes.has(code)) return new GroupLost(lostText(code), { cause: error })
    if (isRefusedByKafka(error)) return error
    const silentMs = systemClock.nowMs() - this.#contactMs
    if (silentMs < sessionTimeoutMs) return null
    return new GroupLost('the group’s coordinator did not answer for a whole session', {
      cause: error,
    })
  }

  #trouble(error: unknown): void {
    // One line for an outage, not one for each attempt.
    if (!this.#isTroubled) this.#options.troubled(error)
    this.#isTroubled = true
  }

  #inContact(): void {
    this.#isTroubled = false
    this.#contactMs = systemClock.nowMs()
  }

  #unlessEnded<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.#ended.promise])
  }

  #call<Answer>(
    lane: Lane,
    send: (connection: Connection, apis: GroupApis) => Promise<Answer>,
  ): Promise<Answer> {
    return this.#unlessEnded(this.#options.coordinator.call(lane, send))
  }
}

function lostText(code: string): string {
  switch (code) {
    case 'FENCED_INSTANCE_ID':
      return 'another process joined the group with our instance id, so that we are out of it'
    default:
      return `the group went on without us (${code})`
  }
}

function without(
  partitions: readonly TopicPartition[],
  others: readonly TopicPartition[],
): readonly TopicPartition[] {
  const keys = new Set(others.map(partitionKey))
  return partitions.filter((at) => !keys.has(partitionKey(at)))
}

function after(delayMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  systemClock.after(delayMs, resolve)
  return promise
}
