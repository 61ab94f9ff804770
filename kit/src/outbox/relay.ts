import type { Clock, Random, Timer } from '../clock.ts'
import { controlTopics } from '../control/control-topics.ts'
import { pruneEveryMs, relayDrainMsMax, relaySweepMs } from '../limits.ts'
import type { Log } from '../log.ts'
import type { Observer } from '../observe/observer.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { TopicPartition, Transport } from '../transport/transport.ts'
import { type Cluster, ClusterView } from './cluster-view.ts'
import { Lane } from './lane.ts'
import type { Outbox } from './outbox.ts'
import { pruneSent } from './retention.ts'
import {
  type Backlog,
  newBacklog,
  routeRows,
  unroutedTopics,
  unsendOthers,
  wholeBacklog,
} from './routing.ts'

export interface RelayOptions {
  readonly service: AnyServiceDefinition
  readonly store: Store<KitTables>
  readonly outbox: Outbox
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly observer: Observer
}

type MetCluster = Extract<Cluster, { readonly kind: 'met' }>

/**
 * Carries the outbox to Kafka: woken at each commit, with a sweep as the net. Each partition has
 * a lane of its own, so that one in trouble delays no other.
 *
 * R1. Rows of one key reach Kafka in the order of their ids, which is commit order (P2).
 * R2. A partition has one send in flight, and stops at its first error.
 * R3. A refused row holds back its own key, and nothing else.
 * R4. A row is sent only to a cluster whose id was just seen; on another cluster than the last,
 *     what was sent elsewhere is first made unsent again, so that it goes before what is new.
 * R5. No row is sent again whose earlier send had arrived, unless the cluster lost it.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #view: ClusterView
  readonly #forgetNudge: () => void
  readonly #lanes = new Map<string, Lane>()
  /** The cluster that the lanes lead to, as it was when the rows were routed. */
  #settled: MetCluster | null = null
  /** Rows up to it have woken their lanes. */
  #seenId = 0
  #sweep: Timer | null = null
  #prunedAtMs = Number.NEGATIVE_INFINITY
  #planning: Promise<void> | null = null
  #isNudged = false
  /** Another cluster answers, while sends to the last one are still on their way. */
  #waitsForLanes = false
  #isStopped = false
  #drained: (() => void) | null = null

  constructor(options: RelayOptions) {
    this.#options = options
    const { transport, service, clock, outbox } = options
    const topics = [...service.catalogue.topics, ...controlTopics]
    this.#view = new ClusterView(transport, topics, clock)
    this.#forgetNudge = outbox.onCommitted(() => this.nudge())
  }

  /** The cluster as it was last seen: where the events go, or why they wait. */
  get cluster(): Cluster {
    return this.#view.last
  }

  /** Meets the cluster as soon as it answers, makes its topics, and begins. */
  start(): void {
    const sweep = () => {
      this.#sweep = this.#options.clock.after(relaySweepMs, sweep)
      if (this.#options.outbox.unsent > 0 && !this.#isSending()) this.#seenId = 0
      this.nudge()
    }
    sweep()
  }

  /** Looks for rows to send, soon. Costs nothing where the relay is at it already. */
  nudge(): void {
    this.#isNudged = true
    this.#planning ??= this.#plan().finally(() => {
      this.#planning = null
      if (this.#isNudged && !this.#isStopped) this.nudge()
      this.#finishDraining()
    })
  }

  /** Sends what it can within `relayDrainMsMax`, then ends; the next start sends the rest. */
  async stop(): Promise<void> {
    this.#forgetNudge()
    this.#sweep?.cancel()
    this.nudge()
    await this.#drain()
    this.#isStopped = true
    for (const lane of this.#lanes.values()) lane.stop()
  }

  /** Wakes the lanes that have something new to send. */
  async #plan(): Promise<void> {
    try {
      while (this.#isNudged && !this.#isStopped) {
        this.#isNudged = false
        const cluster = await this.#view.meet()
        if (cluster.kind === 'away') return
        const isSettled = await this.#settleOn(cluster)
        if (!isSettled) return
        const { places, lastId } = await this.#backlog()
        if (lastId > this.#seenId) this.#isNudged = true // There may be more.
        this.#seenId = lastId
        for (const place of places) this.#lane(place, cluster).wake()
        await this.#prune()
      }
    } catch (error) {
      this.#view.forget()
      this.#options.log.error({ err: error }, 'the outbox cannot be read or marked')
    }
  }

  /**
   * R4, and the routes of the rows where the cluster or its partitions have changed. Not before
   * all sends to the last cluster have ended; the last of them nudges.
   */
  async #settleOn(cluster: MetCluster): Promise<boolean> {
    if (cluster === this.#settled || this.#isStillSettled(cluster)) return true
    this.#waitsForLanes = this.#isSending()
    if (this.#waitsForLanes) return false
    const { store, outbox, log } = this.#options
    const { clusterId, partitions } = cluster
    outbox.route(partitions) // Rows that are said from now on need no routing.
    const count = await store.transaction('meet a cluster', async (db) => {
      const unsent = await unsendOthers(db, clusterId)
      for (const [topic, number] of partitions) await routeRows(db, topic, number)
      return unsent
    })
    outbox.sent(-count)
    for (const lane of this.#lanes.values()) lane.stop()
    this.#lanes.clear()
    this.#settled = cluster
    this.#seenId = 0
    log.info({ clusterId, events: count }, 'the relay has met a Kafka cluster')
    for (const [topic, reason] of cluster.refused) {
      log.error({ topic, reason }, 'events of a topic wait, because Kafka refuses it')
    }
    return true
  }

  #isStillSettled({ clusterId, partitions }: MetCluster): boolean {
    const known = this.#settled
    return (
      known?.clusterId === clusterId &&
      known.partitions.size === partitions.size &&
      [...partitions].every(([topic, number]) => known.partitions.get(topic) === number)
    )
  }

  async #backlog(): Promise<Backlog> {
    const { read } = this.#options.store
    if (this.#seenId > 0) return newBacklog(read, this.#seenId, hintRowsMax)
    await this.#addStrays()
    return wholeBacklog(read)
  }

  /** Topics that the outbox has and the catalogue has not, or no longer: they are made, too. */
  async #addStrays(): Promise<void> {
    const { store, service } = this.#options
    const partitions = service.catalogue.topics[0]?.partitions ?? 1
    for (const topic of await unroutedTopics(store.read)) {
      const isNew = this.#view.add({ topic, partitions })
      if (isNew) this.#isNudged = true
    }
  }

  #lane(place: TopicPartition, { clusterId }: MetCluster): Lane {
    const name = `${place.topic}/${place.partition}`
    const known = this.#lanes.get(name)
    if (known !== undefined) return known
    const lane = new Lane({
      ...this.#options,
      place,
      clusterId,
      isSameCluster: () => this.#isSameCluster(),
      rested: () => this.#rested(),
      doubted: () => this.#view.forget(),
    })
    this.#lanes.set(name, lane)
    return lane
  }

  /** R4. Where it is not, the lanes come to rest, and the plan settles on what there is now. */
  async #isSameCluster(): Promise<boolean> {
    if (this.#isStopped) return false
    const cluster = await this.#view.meet()
    if (cluster.kind === 'met' && this.#isStillSettled(cluster)) return true
    this.nudge()
    return false
  }

  async #prune(): Promise<void> {
    const { store, clock } = this.#options
    const nowMs = clock.nowMs()
    if (nowMs - this.#prunedAtMs < pruneEveryMs) return
    this.#prunedAtMs = nowMs
    await store.transaction('prune the outbox', (db) => pruneSent(db, nowMs))
  }

  /** Resolves when nothing is on its way any more, or the time for it is over. */
  async #drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(relayDrainMsMax, resolve)
      this.#drained = () => {
        timer.cancel()
        resolve()
      }
      this.#finishDraining()
    })
  }

  #rested(): void {
    if (this.#waitsForLanes && !this.#isSending()) this.nudge()
    this.#finishDraining()
  }

  #finishDraining(): void {
    if (!this.#isSending() && this.#planning === null) this.#drained?.()
  }

  #isSending(): boolean {
    return [...this.#lanes.values()].some((lane) => lane.isSending)
  }
}

/** New rows that are looked at together; a transaction seldom says more. */
const hintRowsMax = 1_000
