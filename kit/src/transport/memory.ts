import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { memoryRecordsMax, reconnectDelayMsMin, revokeMsMax } from '../limits.ts'
import { nextTurn } from '../turn.ts'
import type { MemoryCluster } from './memory-cluster.ts'
import type { MemoryMember } from './memory-group.ts'
import {
  type AssignedPartition,
  type CommitOutcome,
  type CommitPosition,
  type ConsumeOptions,
  type Consumption,
  partitionKey,
  type TopicPartition,
  type TopicRequest,
  type Transport,
} from './transport.ts'

/** Opens a door to a cluster in memory. It passes the same conformance suite as `openKafka`. */
export function openMemory(cluster: MemoryCluster, clock: Clock): Transport {
  const requested = new Map<string, TopicRequest>()
  const consumptions = new Set<MemoryConsumption>()
  return {
    async cluster() {
      cluster.assertReachable()
      const brokers = [{ nodeId: 1, host: 'memory', port: 0 }]
      return { clusterId: cluster.clusterId, brokers }
    },
    async ensureTopics(topics) {
      for (const request of topics) requested.set(request.topic, request)
      return topics.map((request) => cluster.ensureTopic(request))
    },
    async send(at, records) {
      // As from a socket, the answer comes in another turn: a loop of sends starves nobody.
      await new Promise<void>((resolve) => nextTurn(clock, resolve))
      const request = requested.get(at.topic)
      if (cluster.reachable && request !== undefined) cluster.ensureTopic(request)
      return cluster.append(at, records)
    },
    consume(options) {
      const consumption = new MemoryConsumption({ cluster, clock, requested, options })
      consumptions.add(consumption)
      return consumption
    },
    async lag(groupName, topics) {
      cluster.assertReachable()
      const group = cluster.group(groupName)
      return topics.flatMap(partitionsOf(cluster)).map((at) => {
        const end = cluster.endOffset(at)
        const committed = group.committed(at)?.offset ?? null
        return { ...at, committed, start: 0n, end, lag: end - (committed ?? 0n) }
      })
    },
    async offsetsAt(partitions, at) {
      cluster.assertReachable()
      return new Map(partitions.map((place) => [partitionKey(place), cluster.offsetAt(place, at)]))
    },
    async readFrom(at, offset, recordsMax) {
      cluster.describe(at.topic)
      return cluster.read(at, offset, recordsMax)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...consumptions].map((consumption) => consumption.stop()))
    },
  }
}

interface MemoryConsumptionOptions {
  readonly cluster: MemoryCluster
  readonly clock: Clock
  readonly requested: ReadonlyMap<string, TopicRequest>
  readonly options: ConsumeOptions
}

/** One member's reading. Records come in a turn of the event loop of their own, as from a socket. */
class MemoryConsumption implements Consumption, MemoryMember {
  readonly topics: readonly string[]
  readonly streams: ReadonlyMap<string, string>
  readonly #cluster: MemoryCluster
  readonly #clock: Clock
  readonly #requested: ReadonlyMap<string, TopicRequest>
  readonly #options: ConsumeOptions
  readonly #owned = new Map<string, OwnedPartition>()
  readonly #unwatch: () => void
  #stopped = false
  #joined = false
  #pumping = false

  constructor({ cluster, clock, requested, options }: MemoryConsumptionOptions) {
    this.topics = options.topics
    this.streams = options.streams ?? new Map()
    this.#cluster = cluster
    this.#clock = clock
    this.#requested = requested
    this.#options = options
    this.#unwatch = cluster.watch(() => this.#pump())
    queueMicrotask(() => this.#join())
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const owned of this.#find(partitions)) owned.paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const owned of this.#find(partitions)) owned.paused = false
    this.#pump()
  }

  async commit(offsets: readonly CommitPosition[]): Promise<CommitOutcome> {
    const { group, instanceId } = this.#options
    if (!this.#cluster.reachable) {
      return { kind: 'unavailable', code: 'STOPPED', message: 'the cluster is stopped' }
    }
    const joined = this.#cluster.group(group)
    const ours = offsets.filter(
      (at) => this.#owned.has(partitionKey(at)) && joined.isOwner(instanceId, this, at),
    )
    for (const at of ours) joined.commit(at)
    const isPartial = ours.length < offsets.length
    return isPartial ? { kind: 'fenced', code: 'NOT_ASSIGNED' } : { kind: 'committed' }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#owned.clear()
    this.#unwatch()
    const { group, instanceId } = this.#options
    this.#cluster.group(group).leaveSilently(instanceId, this)
  }

  assign(partitions: readonly TopicPartition[], generation: number): void {
    if (this.#stopped) return
    const group = this.#cluster.group(this.#options.group)
    const assigned: AssignedPartition[] = partitions.map((at) => ({
      ...at,
      clusterId: this.#cluster.clusterId,
      topicId: this.#cluster.topicId(at.topic) ?? '',
      position: group.committed(at)?.offset ?? 0n,
      metadata: group.committed(at)?.metadata ?? '',
      generation,
    }))
    const coming = assigned.map(({ topic, partition, position }) => {
      return { topic, partition, offset: position, paused: false, isReady: false }
    })
    for (const owned of coming) this.#owned.set(partitionKey(owned), owned)
    this.#options.listener.assigned(assigned).then(
      () => {
        for (const owned of coming) owned.isReady = true
        this.#pump()
      },
      () => this.restart(),
    )
  }

  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    if (this.#stopped) return
    const leaving = this.#find(partitions)
    for (const owned of leaving) owned.isReady = false
    const limit = Promise.withResolvers<'overdue'>()
    const timer = this.#clock.after(revokeMsMax, () => limit.resolve('overdue'))
    const draining = this.#options.listener.revoked(partitions).then(() => 'drained' as const)
    const ended = await Promise.race([draining, limit.promise])
    timer.cancel()
    for (const owned of leaving) {
      if (this.#owned.get(partitionKey(owned)) === owned) this.#owned.delete(partitionKey(owned))
    }
    if (ended === 'overdue') this.#options.listener.lost(partitions)
  }

  lose(): void {
    if (this.#stopped || !this.#joined) return
    this.#joined = false
    const partitions = [...this.#owned.values()].map(placeOf)
    this.#owned.clear()
    if (partitions.length > 0) this.#options.listener.lost(partitions)
    this.#fail('the group is lost')
    this.#joinLater()
  }

  restart(reason = 'the membership begins anew'): void {
    if (this.#stopped || !this.#joined) return
    this.#joined = false
    this.#fail(reason)
    this.revoke([...this.#owned.values()].map(placeOf)).then(
      () => this.#joinLater(),
      (error: Error) => this.#options.listener.failed(error),
    )
  }

  disconnect(): void {
    if (!this.#stopped) this.#fail('the cluster in memory is stopped')
  }

  #fail(message: string): void {
    this.#options.listener.failed(
      new MillraceError('kafka-unavailable', message, { retriable: true }),
    )
  }

  #join(): void {
    if (this.#stopped || this.#joined) return
    if (!this.#cluster.reachable) {
      this.#joinLater()
      return
    }
    for (const topic of this.topics) {
      const request = this.#requested.get(topic)
      if (request !== undefined) this.#cluster.ensureTopic(request)
    }
    this.#joined = true
    this.#cluster.group(this.#options.group).join(this.#options.instanceId, this)
  }

  #joinLater(): void {
    if (!this.#stopped) this.#clock.after(reconnectDelayMsMin, () => this.#join())
  }

  #pump(): void {
    if (this.#pumping || this.#stopped) return
    this.#pumping = true
    nextTurn(this.#clock, () => {
      this.#pumping = false
      if (!this.#cluster.reachable) return
      for (const owned of this.#owned.values()) {
        const records =
          owned.paused || !owned.isReady
            ? []
            : this.#cluster.read(owned, owned.offset, memoryRecordsMax)
        if (records.length === 0) continue
        owned.offset += BigInt(records.length)
        this.#options.listener.records(placeOf(owned), records)
        this.#pump()
      }
    })
  }

  #find(partitions: readonly TopicPartition[]): OwnedPartition[] {
    return partitions.flatMap((at) => this.#owned.get(partitionKey(at)) ?? [])
  }
}

interface OwnedPartition extends TopicPartition {
  offset: bigint
  paused: boolean
  /** The listener has taken it. */
  isReady: boolean
}

function partitionsOf(cluster: MemoryCluster): (topic: string) => TopicPartition[] {
  return (topic) =>
    Array.from({ length: cluster.describe(topic).partitions }, (_, partition) => ({
      topic,
      partition,
    }))
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}
