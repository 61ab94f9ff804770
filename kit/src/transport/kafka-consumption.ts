import { systemClock } from '../clock.ts'
import { revokeMsMax } from '../limits.ts'
import type { KafkaAdmin } from './kafka-admin.ts'
import { KafkaCoordinator } from './kafka-coordinator.ts'
import { explain } from './kafka-errors.ts'
import { KafkaFetcher } from './kafka-fetcher.ts'
import { GroupLost, KafkaMembership } from './kafka-membership.ts'
import { GroupOffsets } from './kafka-offsets.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import type { DamagedFetch } from './partition-fetch.ts'
import { PartitionReader } from './partition-reader.ts'
import { reconnectMs } from './reconnect.ts'
import { TopicWatch } from './topic-watch.ts'
import {
  type AssignedPartition,
  type CommitOutcome,
  type CommitPosition,
  type ConsumeOptions,
  type Consumption,
  type IncomingRecord,
  partitionKey,
  type TopicPartition,
  type TopicTrouble,
} from './transport.ts'

/**
 * One subscription to topics in a group, from its first join to its stop. It joins, reads on
 * from the committed offsets, and begins anew, with backoff, whenever the group or the
 * connection is lost.
 *
 * C1. Records reach the listener only of a partition that is ours, after it has taken it.
 * C2. Of partitions that are being revoked nothing more is delivered; all others go on.
 * C3. Offsets are committed for our own partitions only, one commit at a time, never backwards.
 * C4. A topic made again under its name is another topic: we read by id, and join anew.
 * C5. A topic that Kafka refuses keeps nobody from the others.
 */
export class KafkaConsumption implements Consumption {
  readonly #settings: KafkaSettings
  readonly #admin: KafkaAdmin
  readonly #options: ConsumeOptions
  readonly #owned = new Map<string, OwnedPartition>()
  readonly #watch: TopicWatch
  readonly #run: Promise<void>
  readonly #damages = new Map<string, TopicTrouble>()
  #topicTroubles: readonly TopicTrouble[] = []
  #session: Session | null = null
  #wake: () => void = () => {}
  #stopped = false
  #commits: Promise<unknown> = Promise.resolve()

  constructor(settings: KafkaSettings, admin: KafkaAdmin, options: ConsumeOptions) {
    this.#settings = settings
    this.#admin = admin
    this.#options = options
    const { metadataMaxAgeMs } = settings
    this.#watch = new TopicWatch({
      ...(metadataMaxAgeMs === undefined ? {} : { everyMs: metadataMaxAgeMs }),
      survey: () => admin.survey(options.topics),
      wanted: (topic) => admin.wantedPartitions(topic),
      seen: ({ topics }) => {
        this.#session?.membership.recount(countsOf(topics))
      },
      troubled: (troubles) => {
        this.#topicTroubles = troubles
        this.#tellTroubles()
      },
    })
    this.#run = this.#sessions()
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const owned of this.#find(partitions)) owned.paused = true
    this.#session?.reader.pause(partitions)
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const owned of this.#find(partitions)) owned.paused = false
    this.#session?.reader.resume(partitions)
  }

  commit(positions: readonly CommitPosition[]): Promise<CommitOutcome> {
    const outcome = this.#commits.then(() => this.#commit(positions))
    this.#commits = outcome
    return outcome
  }

  restart(reason: string): void {
    this.#session?.end(new Error(reason))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#watch[Symbol.dispose]()
    this.#wake()
    await this.#run
    this.#owned.clear()
  }

  /** Session after session. Every failure is told, then waited for, then tried again. */
  async #sessions(): Promise<void> {
    let attempt = 0
    let isWatching = false
    while (!this.#isStopped()) {
      const { promise: woken, resolve: wake } = Promise.withResolvers<null>()
      this.#wake = () => wake(null)
      let hasJoined = false
      try {
        if (!isWatching) await this.#watch.start()
        isWatching = true
        const session = this.#openSession()
        await Promise.race([session.membership.run(), session.ended, woken])
      } catch (error) {
        hasJoined = (this.#session?.membership.generation ?? -1) >= 0
        await this.#tell(error)
        await this.#giveUp(error)
      }
      await this.#closeSession()
      attempt = hasJoined ? 1 : attempt + 1
      if (!this.#isStopped()) await this.#waitToReconnect(attempt, woken)
    }
  }

  #openSession(): Session {
    const { group, instanceId, topics, streams = new Map() } = this.#options
    const { promise: ended, reject: end } = Promise.withResolvers<never>()
    ended.catch(() => {})
    const { client } = this.#admin
    const coordinator = new KafkaCoordinator(client, group, this.#settings)
    const membership = new KafkaMembership({
      coordinator,
      group,
      instanceId,
      topics,
      streams,
      count: async (names) => countsOf((await this.#admin.survey(names)).topics),
      owned: () => [...this.#owned.values()].map(placeOf),
      assign: (partitions, generation) => this.#assign(session, partitions, generation),
      revoke: (partitions) => this.#revoke(partitions),
      troubled: (error) => void this.#tell(error),
    })
    const admin = this.#admin
    const offsets = new GroupOffsets({ coordinator, admin, membership, group, instanceId })
    const reader = new PartitionReader({
      fetcher: new KafkaFetcher(client, this.#settings),
      records: (at, records) => this.#received(at, records),
      gone: (topic) => end(new Error(`topic "${topic}" was deleted or made again`)), // C4
      damaged: (at, damage) => this.#damaged(at, damage),
      failed: (error) => void this.#tell(error),
    })
    const session = { coordinator, membership, offsets, reader, ended, end }
    this.#session = session
    return session
  }

  async #closeSession(): Promise<void> {
    const session = this.#session
    this.#session = null
    if (session === null) return
    session.membership.close()
    await Promise.allSettled([session.reader.close(), session.coordinator.close()])
  }

  async #assign(
    session: Session,
    partitions: readonly TopicPartition[],
    generation: number,
  ): Promise<void> {
    const { clusterId } = await this.#admin.cluster()
    const topics = await this.#admin.describe([...new Set(partitions.map(({ topic }) => topic))])
    const positions = await session.offsets.positions(partitions)
    if (session !== this.#session || this.#isStopped()) return
    const ids = new Map(topics.map(({ topic, topicId }) => [topic, topicId]))
    const assigned = positions.map(({ topic, partition, offset, metadata }) => {
      const place = { topic, partition, clusterId, topicId: ids.get(topic) ?? '' }
      return { ...place, position: offset, metadata, generation }
    })
    for (const partition of assigned) this.#owned.set(partitionKey(partition), ownedFrom(partition))
    await this.#options.listener.assigned(assigned)
    if (session !== this.#session || this.#isStopped()) return
    // Lost meanwhile, it is not to be read any more.
    const taken = assigned.filter((partition) => this.#owned.has(partitionKey(partition)))
    session.reader.add(taken, (key) => this.#owned.get(key)?.paused ?? false) // C1
  }

  /** Drain and commit, then fence (P6); what takes too long is lost. */
  async #revoke(partitions: readonly TopicPartition[]): Promise<void> {
    this.#session?.reader.remove(partitions) // C2
    const limit = Promise.withResolvers<'overdue'>()
    const timer = systemClock.after(revokeMsMax, () => limit.resolve('overdue'))
    const draining = this.#options.listener.revoked(partitions).then(() => 'drained' as const)
    const ended = await Promise.race([draining, limit.promise])
    timer.cancel()
    const left = partitions.filter((at) => this.#owned.delete(partitionKey(at)))
    for (const at of left) if (this.#damages.has(partitionKey(at))) this.#damaged(at, null)
    if (ended === 'overdue' && left.length > 0) this.#options.listener.lost(left)
  }

  /** The session is over: what we had is finished while it may still be ours, or else dropped. */
  async #giveUp(error: unknown): Promise<void> {
    const partitions = [...this.#owned.values()].map(placeOf)
    if (partitions.length === 0 || this.#isStopped()) return
    if (!(error instanceof GroupLost)) {
      await this.#revoke(partitions)
      return
    }
    this.#session?.reader.remove(partitions)
    this.#owned.clear()
    this.#damages.clear()
    this.#options.listener.lost(partitions)
  }

  #damaged(at: TopicPartition, damage: DamagedFetch | null): void {
    if (damage === null) this.#damages.delete(partitionKey(at))
    else this.#damages.set(partitionKey(at), damageTrouble(at, damage))
    this.#tellTroubles()
  }

  #tellTroubles(): void {
    this.#options.listener.troubled([...this.#topicTroubles, ...this.#damages.values()])
  }

  #received(at: TopicPartition, records: readonly IncomingRecord[]): void {
    if (!this.#isStopped()) this.#options.listener.records(at, records)
  }

  async #commit(positions: readonly CommitPosition[]): Promise<CommitOutcome> {
    const ours = positions.filter((position) => this.#owned.has(partitionKey(position)))
    // What is still ours is committed, whatever else has left us.
    const outcome = await this.#commitOurs(ours)
    const isPartial = ours.length < positions.length && outcome.kind === 'committed'
    return isPartial ? { kind: 'fenced', code: 'NOT_ASSIGNED' } : outcome
  }

  async #commitOurs(ours: readonly CommitPosition[]): Promise<CommitOutcome> {
    const forward = ours.filter((position) => {
      const committed = this.#owned.get(partitionKey(position))?.committed
      return committed !== undefined && isNews(position, committed) // C3
    })
    if (forward.length === 0) return { kind: 'committed' }
    if (this.#session === null) return notConnected
    const outcome = await this.#session.offsets.commit(forward)
    if (outcome.kind !== 'committed') return outcome
    for (const { metadata = '', ...position } of forward) {
      const owned = this.#owned.get(partitionKey(position))
      if (owned !== undefined) owned.committed = { offset: position.offset, metadata }
    }
    return outcome
  }

  async #tell(error: unknown): Promise<void> {
    if (this.#isStopped()) return
    const explained = error instanceof GroupLost ? error : await explain(error, this.#settings)
    if (!this.#isStopped()) this.#options.listener.failed(explained)
  }

  async #waitToReconnect(attempt: number, woken: Promise<null>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = systemClock.after(reconnectMs(attempt), resolve)
    await Promise.race([promise, woken])
    timer.cancel()
  }

  /** Asked anew after an await, in which `stop` may have been called. */
  #isStopped(): boolean {
    return this.#stopped
  }

  #find(partitions: readonly TopicPartition[]): OwnedPartition[] {
    return partitions.flatMap((partition) => this.#owned.get(partitionKey(partition)) ?? [])
  }
}

/** From a join to the loss of the group: all that ends with it. */
interface Session {
  readonly coordinator: KafkaCoordinator
  readonly membership: KafkaMembership
  readonly offsets: GroupOffsets
  readonly reader: PartitionReader
  /** Rejects when something else than the membership ends it. */
  readonly ended: Promise<never>
  readonly end: (reason: Error) => void
}

interface OwnedPartition extends TopicPartition {
  committed: Committed
  paused: boolean
}

interface Committed {
  readonly offset: bigint
  readonly metadata: string
}

const notConnected: CommitOutcome = {
  kind: 'unavailable',
  code: 'NOT_CONNECTED',
  message: 'the group is not joined at the moment',
}

function ownedFrom({ topic, partition, position, metadata }: AssignedPartition): OwnedPartition {
  return { topic, partition, committed: { offset: position, metadata }, paused: false }
}

function isNews({ offset, metadata = '' }: CommitPosition, committed: Committed): boolean {
  if (offset !== committed.offset) return offset > committed.offset
  return metadata !== committed.metadata
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

function damageTrouble({ topic, partition }: TopicPartition, damage: DamagedFetch): TopicTrouble {
  const { offset, nextOffset, reason } = damage
  const message =
    `topic "${topic}", partition ${partition}: the batch at offset ${offset} is damaged ` +
    `(${reason}), and nothing after it is read. If no replica has it whole, stop the service and ` +
    `set its group to offset ${nextOffset} there: what the batch held is lost then`
  return { topic, kind: 'damaged', message }
}

function countsOf(
  topics: readonly { readonly topic: string; readonly partitions: number }[],
): ReadonlyMap<string, number> {
  return new Map(topics.map(({ topic, partitions }) => [topic, partitions]))
}
