import {
  type AssignedPartition,
  type CommitOutcome,
  type CommitPosition,
  type ConsumeOptions,
  type Consumption,
  MillraceError,
  type TopicPartition,
  type TopicRequest,
} from '@millrace/kit'
import { partitionKey } from '@millrace/kit/inside'
import type { Agenda } from './agenda.ts'
import type { Life } from './life.ts'
import { rejoinMs, revokeMs } from './limits.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { GroupClient } from './simulated-group.ts'

export interface ConsumptionOptions {
  readonly life: Life
  readonly agenda: Agenda
  readonly cluster: SimulatedCluster
  /** Topics that are made as soon as Kafka answers. */
  readonly requested: ReadonlyMap<string, TopicRequest>
  /** Records of one fetch. */
  readonly fetchMax: number
  readonly consume: ConsumeOptions
}

interface Owned extends TopicPartition {
  offset: bigint
  isPaused: boolean
  isReady: boolean
  isFetching: boolean
}

/**
 * One member's reading. Joining, each call of the listener, each fetch and each commit is a step.
 *
 * C1. Calls of the listener do not overlap, unless one takes longer than `revokeMs`.
 * C2. A fetch asks nobody whose the partition is, as in Kafka: a zombie goes on reading.
 */
export class SimulatedConsumption implements Consumption, GroupClient {
  readonly instanceId: string
  readonly topics: readonly string[]
  readonly #options: ConsumptionOptions
  readonly #owned = new Map<string, Owned>()
  readonly #unwatch: () => void
  #isCalling = false
  #isJoined = false
  #isStopped = false

  constructor(options: ConsumptionOptions) {
    const { consume, cluster } = options
    this.#options = options
    this.instanceId = consume.instanceId
    this.topics = consume.topics
    this.#unwatch = cluster.watch(() => this.#pump())
    this.#joinSoon()
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const owned of this.#find(partitions)) owned.isPaused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const owned of this.#find(partitions)) owned.isPaused = false
    this.#pump()
  }

  commit(positions: readonly CommitPosition[]): Promise<CommitOutcome> {
    const { life, agenda, cluster, consume } = this.#options
    const act = (): CommitOutcome => {
      if (cluster.isAway) return unavailable
      const group = cluster.group(consume.group)
      const ours = positions.filter(
        (at) => this.#owned.has(partitionKey(at)) && group.isOwner(this, at),
      )
      for (const position of ours) group.commit(position)
      const isPartial = ours.length < positions.length
      return isPartial ? { kind: 'fenced', code: 'NOT_ASSIGNED' } : { kind: 'committed' }
    }
    return agenda.call<CommitOutcome>(life, {
      what: `commits the offsets ${positions.map(describeOffset).join(', ')}`,
      act,
      troubles: [
        { what: 'but the request is lost', isDone: false, outcome: () => unavailable },
        { what: 'but the answer is lost', isDone: true, outcome: () => unavailable },
      ],
    })
  }

  /** It owns the partition, by its group's reckoning, and its listener has taken it. */
  holds(at: TopicPartition): boolean {
    const { cluster, consume } = this.#options
    const isTaken = this.#owned.get(partitionKey(at))?.isReady === true
    return isTaken && this.#isJoined && cluster.group(consume.group).isOwner(this, at)
  }

  async stop(): Promise<void> {
    this.end()
    const { cluster, consume } = this.#options
    cluster.group(consume.group).silence(this)
  }

  /** The life is over: nothing is said to anybody. */
  end(): void {
    this.#isStopped = true
    this.#unwatch()
    this.#owned.clear()
  }

  /** The group hears nothing of it any more. */
  fallSilent(): void {
    const { cluster, consume } = this.#options
    cluster.group(consume.group).silence(this)
  }

  speakAgain(): void {
    const { cluster, consume } = this.#options
    if (cluster.isAway) this.lose('Kafka is away')
    else if (this.#isJoined) cluster.group(consume.group).speak(this)
  }

  release(partitions: readonly TopicPartition[], done: () => void): void {
    this.#callListener(`is asked for ${partitions.map(partitionKey).join(', ')}`, async () => {
      await this.#handOver(partitions)
      done()
    })
  }

  take(partitions: readonly TopicPartition[], generation: number): void {
    const keys = partitions.map(partitionKey).join(', ') || 'no partitions'
    this.#callListener(`is given ${keys} (generation ${generation})`, async () => {
      // An answer to a membership that is over by now; it joins anew, and is given them then.
      if (!this.#isJoined) return
      const assigned = this.#assigned(partitions, generation)
      const mine = assigned.map(({ topic, partition, position }): Owned => {
        const state = { isPaused: false, isReady: false, isFetching: false }
        return { topic, partition, offset: position, ...state }
      })
      for (const owned of mine) this.#owned.set(partitionKey(owned), owned)
      try {
        await this.#options.consume.listener.assigned(assigned)
      } catch {
        this.restart('its owner could not take the partitions')
        return
      }
      for (const owned of mine) owned.isReady = true
      this.#pump()
    })
  }

  /** What we have is another's, or will be: nobody waits for what runs. */
  lose(reason: string): void {
    if (this.#isStopped || !this.#isJoined) return
    this.#isJoined = false
    const { listener } = this.#options.consume
    this.#callListener(`has lost the group: ${reason}`, async () => {
      const partitions = [...this.#owned.values()].map(placeOf)
      this.#owned.clear()
      if (partitions.length > 0) listener.lost(partitions)
      listener.failed(new MillraceError('kafka-unavailable', reason, { retriable: true }))
      this.#joinLater()
    })
  }

  restart(reason: string): void {
    if (this.#isStopped || !this.#isJoined) return
    this.#isJoined = false
    const { listener } = this.#options.consume
    this.#callListener(`joins its group anew: ${reason}`, async () => {
      listener.failed(new MillraceError('kafka-unavailable', reason, { retriable: true }))
      await this.#handOver([...this.#owned.values()].map(placeOf))
      this.#joinLater()
    })
  }

  /** Waits for the listener, but not for ever. */
  async #handOver(partitions: readonly TopicPartition[]): Promise<void> {
    const { agenda, life, consume } = this.#options
    const leaving = this.#find(partitions)
    if (leaving.length === 0) return
    for (const owned of leaving) owned.isReady = false
    const { promise, resolve } = Promise.withResolvers<'drained' | 'overdue'>()
    const timer = agenda.after(life, revokeMs, {
      what: 'has waited too long for what runs',
      fire: () => resolve('overdue'),
    })
    const drained = (): void => resolve('drained')
    consume.listener.revoked(leaving.map(placeOf)).then(drained, drained)
    const ended = await promise
    timer.cancel()
    for (const owned of leaving) {
      if (this.#owned.get(partitionKey(owned)) === owned) this.#owned.delete(partitionKey(owned))
    }
    if (ended === 'overdue') consume.listener.lost(leaving.map(placeOf))
  }

  #assigned(partitions: readonly TopicPartition[], generation: number): AssignedPartition[] {
    const { cluster, consume } = this.#options
    const group = cluster.group(consume.group)
    return partitions.map((at) => ({
      ...at,
      clusterId: cluster.clusterId,
      topicId: cluster.topicId(at.topic) ?? '',
      position: group.committed(at)?.offset ?? 0n,
      metadata: group.committed(at)?.metadata ?? '',
      generation,
    }))
  }

  #joinSoon(): void {
    const { agenda, life, consume } = this.#options
    agenda.add({ life, what: `joins the group ${consume.group}`, perform: () => this.#join() })
  }

  #joinLater(): void {
    if (this.#isStopped) return
    const { agenda, life } = this.#options
    agenda.after(life, rejoinMs, { what: 'tries its group again', fire: () => this.#join() })
  }

  #join(): void {
    const { cluster, consume, requested } = this.#options
    if (this.#isStopped || this.#isJoined) return
    if (cluster.isAway) {
      this.#joinLater()
      return
    }
    for (const topic of this.topics) {
      const request = requested.get(topic)
      if (request !== undefined) cluster.ensureTopic(request)
    }
    this.#isJoined = true
    cluster.group(consume.group).join(this)
  }

  /** A fetch of each partition that has something new. */
  #pump(): void {
    const { agenda, life, cluster, fetchMax } = this.#options
    if (this.#isStopped) return
    for (const owned of this.#owned.values()) {
      const isWanted = owned.isReady && !owned.isPaused && !owned.isFetching
      if (!isWanted || cluster.end(owned) <= owned.offset) continue
      owned.isFetching = true
      agenda.add({
        life,
        what: `fetches ${partitionKey(owned)} from ${owned.offset}`,
        perform: () => {
          owned.isFetching = false
          this.#fetch(owned, fetchMax)
        },
      })
    }
  }

  #fetch(owned: Owned, recordsMax: number): void {
    const { cluster, consume } = this.#options
    if (this.#isStopped || cluster.isAway || this.#owned.get(partitionKey(owned)) !== owned) return
    if (owned.isPaused) return
    const records = cluster.read(owned, owned.offset, recordsMax)
    owned.offset += BigInt(records.length)
    if (records.length > 0) consume.listener.records(placeOf(owned), records)
    this.#pump()
  }

  /** C1. */
  #callListener(what: string, call: () => Promise<void>): void {
    const { agenda, life } = this.#options
    agenda.add({
      life,
      what,
      isReady: () => !this.#isCalling,
      perform: () => {
        if (this.#isStopped) return
        this.#isCalling = true
        const end = (): void => {
          this.#isCalling = false
        }
        call().then(end, end)
      },
    })
  }

  #find(partitions: readonly TopicPartition[]): Owned[] {
    return partitions.flatMap((at) => this.#owned.get(partitionKey(at)) ?? [])
  }
}

const unavailable: CommitOutcome = {
  kind: 'unavailable',
  code: 'AWAY',
  message: 'the simulated Kafka does not answer',
}

function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition }
}

function describeOffset(position: CommitPosition): string {
  return `${partitionKey(position)}@${position.offset}`
}
