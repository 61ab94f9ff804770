import { systemClock } from '../clock.ts'
import { reconnectDelayMsMax, reconnectDelayMsMin, revokeMsMax, topicsFreshMs } from '../limits.ts'
import { backoffMs } from '../retry/backoff.ts'
import type { KafkaAdmin } from './kafka-admin.ts'
import { explain } from './kafka-errors.ts'
import { KafkaFetcher } from './kafka-fetcher.ts'
import { KafkaMembership } from './kafka-membership.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import type { PartitionFetch } from './partition-fetch.ts'
import { PartitionsAdded, PartitionWatch } from './partition-watch.ts'
import {
  type AssignedPartition,
  type CommitOutcome,
  type CommitPosition,
  type ConsumeOptions,
  type Consumption,
  partitionKey,
  type TopicPartition,
} from './transport.ts'

/**
 * One subscription to topics in a group, from its first join to its stop. It joins, reads on
 * from the committed offsets, and begins anew, with backoff, whenever the group or the
 * connection is lost.
 *
 * C1. Records reach the listener only of a partition that is ours, once an assignment, in order:
 *     each assignment has an epoch, and an answer to a request of an older one is dropped.
 * C2. While partitions are being revoked nothing is delivered.
 * C3. Offsets are committed for our own partitions only, one commit at a time, never backwards.
 * C4. A topic made again under its name is another topic: we read by id, and join anew.
 * C5. Partitions that are added are nobody's until the group shares out anew: we see to that.
 */
export class KafkaConsumption implements Consumption {
  readonly #settings: KafkaSettings
  readonly #admin: KafkaAdmin
  readonly #options: ConsumeOptions
  readonly #owned = new Map<string, OwnedPartition>()
  readonly #busyNodes = new Set<number>()
  readonly #ended: Promise<void>
  #current: Session | null = null
  #epoch = 0
  #fetchFailures = 0
  #stopping = false
  #commits: Promise<unknown> = Promise.resolve()
  #partitionWatch: PartitionWatch | null = null
  #wake: () => void = () => {}

  constructor(settings: KafkaSettings, admin: KafkaAdmin, options: ConsumeOptions) {
    this.#settings = settings
    this.#admin = admin
    this.#options = options
    this.#ended = this.#run()
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const owned of this.#find(partitions)) owned.paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const owned of this.#find(partitions)) owned.paused = false
    this.#pump()
  }

  commit(offsets: readonly CommitPosition[]): Promise<CommitOutcome> {
    const outcome = this.#commits.then(() => this.#commit(offsets))
    this.#commits = outcome
    return outcome
  }

  async stop(): Promise<void> {
    this.#stopping = true
    this.#epoch += 1
    this.#owned.clear()
    this.#wake()
    await this.#ended
  }

  /** Session after session. Every failure is told, then waited for, then tried again. */
  async #run(): Promise<void> {
    let attempt = 0
    while (!this.#stopping) {
      const ending = await this.#session()
      await this.#tell(ending.error)
      await this.#revoke()
      if (ending.error instanceof PartitionsAdded) await this.#leave()
      await this.#closeSession()
      attempt = ending.joined ? 1 : attempt + 1
      await this.#waitToReconnect(attempt)
    }
  }

  /** One session, from its join to its end. */
  async #session(): Promise<{ readonly joined: boolean; readonly error: unknown }> {
    const { promise: lost, resolve: lose } = Promise.withResolvers<unknown>()
    this.#wake = () => lose(null)
    let joined = false
    try {
      await this.#admin.restoreTopics(this.#options.topics)
      if (this.#isStopping()) return { joined, error: null }
      const session = this.#openSession(lose)
      this.#current = session
      await Promise.race([session.membership.join(), lost])
      joined = true
      return { joined, error: await lost }
    } catch (error) {
      return { joined, error }
    }
  }

  #openSession(lose: (error: unknown) => void): Session {
    const { group, instanceId, topics } = this.#options
    const membership = new KafkaMembership({
      settings: this.#settings,
      group,
      instanceId,
      topics,
      revoke: () => this.#revoke(),
      joined: (assignment) => {
        this.#assign(assignment).catch(lose)
      },
      lost: lose,
    })
    const fetcher = new KafkaFetcher(membership.client, this.#settings)
    return { membership, fetcher, lose }
  }

  async #closeSession(): Promise<void> {
    const session = this.#current
    this.#current = null
    this.#partitionWatch?.[Symbol.dispose]()
    this.#busyNodes.clear()
    if (session === null) return
    await Promise.allSettled([session.fetcher.close(), session.membership.close()])
  }

  async #assign(assignment: readonly TopicPartition[]): Promise<void> {
    const session = this.#current
    this.#epoch += 1
    const epoch = this.#epoch
    if (session === null) return
    const { clusterId } = await this.#admin.cluster()
    const topics = await this.#admin.describe([...new Set(assignment.map(({ topic }) => topic))])
    const positions = await session.membership.positions(assignment)
    if (epoch !== this.#epoch) return // C1: the group moved on while we asked
    const ids = new Map(topics.map(({ topic, topicId }) => [topic, topicId]))
    const assigned = positions.map(({ topic, partition, offset }) => {
      const place = { topic, partition, clusterId, topicId: ids.get(topic) ?? '' }
      const { generation } = session.membership
      return { ...place, position: offset, metadata: '', generation }
    })
    this.#owned.clear()
    for (const partition of assigned) this.#owned.set(partitionKey(partition), ownedFrom(partition))
    await this.#options.listener.assigned(assigned)
    if (epoch !== this.#epoch) return
    for (const owned of this.#owned.values()) owned.isReady = true
    this.#pump()
    this.#partitionWatch?.[Symbol.dispose]()
    this.#partitionWatch = new PartitionWatch(topics, {
      everyMs: this.#settings.metadataMaxAgeMs ?? topicsFreshMs,
      describe: (names) => this.#admin.describe(names),
      added: session.lose, // C5
    })
  }

  /** Where Kafka does not hear it, our place is kept, and the next look finds the same. */
  async #leave(): Promise<void> {
    try {
      await this.#current?.membership.leave()
    } catch (error) {
      await this.#tell(error)
    }
  }

  /** Gives everything back: drain and commit, then fence (P6). */
  async #revoke(): Promise<void> {
    this.#epoch += 1
    if (this.#owned.size === 0) return
    const partitions = [...this.#owned.values()].map(placeOf)
    await Promise.race([this.#options.listener.revoked(partitions), delay(revokeMsMax)])
    this.#owned.clear()
  }

  /** Asks every idle leader for what its partitions have, unless they are paused. */
  #pump(): void {
    const session = this.#current
    const epoch = this.#epoch
    const wanted = [...this.#owned.values()].filter(({ paused, isReady }) => isReady && !paused)
    if (session === null || wanted.length === 0) return
    session.fetcher.leaders(wanted.map(copyOf)).then(
      (leaders) => {
        if (epoch !== this.#epoch) return
        for (const [node, positions] of leaders) {
          if (this.#busyNodes.has(node)) continue
          this.#busyNodes.add(node)
          const answer = session.fetcher.fetch(node, positions)
          answer.then(
            (fetched) => this.#received(session, node, epoch, fetched),
            (error: unknown) => this.#fetchFailed(session, node, error),
          )
        }
      },
      (error: unknown) => this.#fetchFailed(session, null, error),
    )
  }

  #received(session: Session, node: number, epoch: number, fetched: PartitionFetch[]): void {
    if (session !== this.#current) return
    this.#busyNodes.delete(node)
    this.#fetchFailures = 0
    // C1, C2: an answer to an earlier assignment. The next request reads on from the new one's.
    if (epoch === this.#epoch) for (const answer of fetched) this.#take(session, answer)
    // Kafka does not wait with an error, so we do.
    const isTroubled = fetched.some(({ kind }) => kind === 'failed' || kind === 'moved')
    if (isTroubled) systemClock.after(reconnectDelayMsMin, () => this.#pump())
    // Timers, heartbeats and HTTP get their turn between two responses.
    else setImmediate(() => this.#pump())
  }

  #take(session: Session, answer: PartitionFetch): void {
    const key = partitionKey(answer)
    const owned = this.#owned.get(key)
    if (owned === undefined) return
    switch (answer.kind) {
      case 'records':
        if (answer.nextOffset === owned.offset) return
        owned.offset = answer.nextOffset
        // Last in the map, so that the others come first in the next request.
        this.#owned.delete(key)
        this.#owned.set(key, owned)
        if (answer.records.length > 0) {
          this.#options.listener.records(placeOf(owned), answer.records)
        }
        return
      case 'out-of-range':
        // Retention passed our place: the earliest that is left is nearest to it.
        owned.offset = answer.logStart
        return
      case 'moved':
        session.fetcher.forgetMetadata()
        return
      case 'gone':
        session.lose(new Error(`topic "${answer.topic}" was deleted or made again`)) // C4
        return
      case 'failed':
        this.#options.listener.failed(
          new Error(`fetching ${key} failed with Kafka's error ${answer.code}`),
        )
        return
      default:
        answer satisfies never
    }
  }

  #fetchFailed(session: Session, node: number | null, error: unknown): void {
    if (session !== this.#current || this.#stopping) return
    session.fetcher.forgetMetadata()
    this.#fetchFailures += 1
    // One line for an outage, not one for each attempt.
    if (this.#fetchFailures === 1) this.#tell(error).catch(() => {})
    const again = (): void => {
      if (session !== this.#current) return
      if (node !== null) this.#busyNodes.delete(node)
      this.#pump()
    }
    systemClock.after(reconnectMs(this.#fetchFailures), again)
  }

  async #commit(offsets: readonly CommitPosition[]): Promise<CommitOutcome> {
    const ours = offsets.filter((offset) => this.#owned.has(partitionKey(offset)))
    // What is still ours is committed, whatever else has left us.
    const outcome = await this.#commitOurs(ours)
    const isPartial = ours.length < offsets.length && outcome.kind === 'committed'
    return isPartial ? { kind: 'fenced', code: 'NOT_ASSIGNED' } : outcome
  }

  async #commitOurs(ours: readonly CommitPosition[]): Promise<CommitOutcome> {
    const forward = ours.filter((offset) => {
      const owned = this.#owned.get(partitionKey(offset))
      return owned !== undefined && offset.offset > owned.committed
    })
    if (forward.length === 0) return { kind: 'committed' }
    if (this.#current === null) return notConnected
    const outcome = await this.#current.membership.commit(forward)
    if (outcome.kind === 'committed') {
      for (const offset of forward) {
        const owned = this.#owned.get(partitionKey(offset))
        if (owned !== undefined) owned.committed = offset.offset
      }
    }
    return outcome
  }

  async #tell(error: unknown): Promise<void> {
    if (error === null || error instanceof PartitionsAdded || this.#stopping) return
    this.#options.listener.failed(await explain(error, this.#settings))
  }

  async #waitToReconnect(attempt: number): Promise<void> {
    if (this.#stopping) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = systemClock.after(reconnectMs(attempt), resolve)
    this.#wake = resolve
    await promise
    timer.cancel()
  }

  /** Asked anew after an await, in which `stop` may have been called. */
  #isStopping(): boolean {
    return this.#stopping
  }

  #find(partitions: readonly TopicPartition[]): OwnedPartition[] {
    return partitions.flatMap((partition) => this.#owned.get(partitionKey(partition)) ?? [])
  }
}

interface Session {
  readonly membership: KafkaMembership
  readonly fetcher: KafkaFetcher
  readonly lose: (error: unknown) => void
}

interface OwnedPartition extends TopicPartition {
  readonly topicId: string
  /** Where the next fetch begins. */
  offset: bigint
  committed: bigint
  paused: boolean
  /** The listener has taken it. */
  isReady: boolean
}

const notConnected: CommitOutcome = {
  kind: 'unavailable',
  code: 'NOT_CONNECTED',
  message: 'the group is not joined at the moment',
}

function ownedFrom({ topic, partition, topicId, position }: AssignedPartition): OwnedPartition {
  const state = { committed: position, paused: false, isReady: false }
  return { topic, partition, topicId, offset: position, ...state }
}

function copyOf({ topic, partition, topicId, offset }: OwnedPartition) {
  return { topic, partition, topicId, offset }
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

function reconnectMs(attempt: number): number {
  const step = { attempt, delayMsMin: reconnectDelayMsMin, delayMsMax: reconnectDelayMsMax }
  return reconnectDelayMsMin + backoffMs(step, Math.random)
}

async function delay(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  // Nothing waits for this one alone: it must not keep the process alive.
  setTimeout(resolve, ms).unref()
  await promise
}
