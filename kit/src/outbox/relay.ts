import { sql, type Transaction } from 'kysely'
import type { Clock, Random, Timer } from '../clock.ts'
import { type Call, type Instances, soleInstance } from '../instances/instances.ts'
import { slotOfPartition } from '../instances/slot.ts'
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
import type { OutboxCarrier } from './outbox-carrier.ts'
import type { OutboxPlace } from './place.ts'
import { pruneCarried, pruneSent } from './retention.ts'
import { backlogAmong, routeRows, unroutedTopics, unsendOthers, unsentTopics } from './routing.ts'
import { serviceTopics } from './service-topics.ts'

export interface RelayOptions {
  readonly service: AnyServiceDefinition
  readonly store: Store<KitTables>
  readonly outbox: Outbox
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly observer: Observer
  /** Who sends. Where Debezium does, the relay makes the topics and forgets old rows. */
  readonly carrier?: OutboxCarrier
  /** The instances of the service, which share its slots. Default: this is the only one. */
  readonly instances?: Instances
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
 * R5. No row is sent again whose earlier send had arrived, unless the cluster lost it, or the send
 *     was on its way when the slot of its partition was lost.
 * R6. Of several instances the owner of a partition's slot sends to it, and nobody else. A new
 *     owner first reads the partition's tail. A send that the old owner had on its way when it lost
 *     the slot may arrive later than that: it carries the first unsent rows in their order, as what
 *     the new owner sends does, so each event's first copy stands in its order (P2), and the second
 *     copy is a repeat.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #instances: Instances
  readonly #view: ClusterView
  readonly #leave: readonly (() => void)[]
  readonly #lanes = new Map<string, { readonly place: TopicPartition; readonly lane: Lane }>()
  /** Partitions that somebody named since the last plan. */
  /** The cluster that the lanes lead to, as it was when the rows were routed. */
  #settled: MetCluster | null = null
  readonly #called = new Map<string, TopicPartition>()
  /** Somebody said something, and where it goes is not known: all partitions are looked at. */
  #isToLook = true
  #sweep: Timer | null = null
  #prunedAtMs = Number.NEGATIVE_INFINITY
  #planning: Promise<void> | null = null
  #isNudged = false
  #isGained = false
  /** Another cluster answers, while sends to the last one are still on their way. */
  #waitsForLanes = false
  #isStopped = false
  #drained: (() => void) | null = null
  /** Those who wait for a lane to rest. */
  #waiting: (() => void)[] = []

  constructor(options: RelayOptions) {
    this.#options = options
    const { transport, service, clock, outbox } = options
    this.#view = new ClusterView(transport, serviceTopics(service), clock)
    this.#instances = options.instances ?? soleInstance
    this.#leave = [
      outbox.onCommitted((places) => this.#committed(places)),
      this.#instances.join({
        gained: (slots) => this.#gained(slots),
        ended: (slots) => this.#ended(slots),
        called: (call) => this.#hear(call),
      }),
    ]
  }

  /** The cluster as it was last seen: where the events go, or why they wait. */
  get cluster(): Cluster {
    return this.#view.last
  }

  /** Meets the cluster as soon as it answers, makes its topics, and begins. */
  start(): void {
    const sweep = () => {
      this.#sweep = this.#options.clock.after(relaySweepMs, sweep)
      // An only instance's outbox knows whether there is anything; and who sends looks by himself.
      const { outbox } = this.#options
      const mayHaveMore = this.#instances.name !== null || outbox.unsent > 0
      if (mayHaveMore && !this.#isSending()) this.#isToLook = true
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
    for (const leave of this.#leave) leave()
    this.#sweep?.cancel()
    this.nudge()
    await this.#drain()
    this.#isStopped = true
    for (const { lane } of this.#lanes.values()) lane.stop()
    this.#tellWaiting()
  }

  /** Wakes the lanes of what was said here, and tells the owners of the others. */
  #committed(places: readonly OutboxPlace[]): void {
    this.#callLanes(places)
    const others = places.filter((place) => !this.#isOurs(place))
    if (others.length > 0) this.#instances.call({ kind: 'outbox', places: others })
    this.nudge()
  }

  /** Another instance has said something. */
  #hear(call: Call): void {
    if (call.kind !== 'outbox') return
    this.#callLanes(call.places)
    if (call.places.length === 0) this.#isToLook = true
    this.nudge()
  }

  #callLanes(places: readonly OutboxPlace[]): void {
    for (const { topic, partition } of places) {
      if (partition === null) this.#isToLook = true
      else this.#called.set(`${topic}/${partition}`, { topic, partition })
    }
  }

  #isOurs({ topic, partition }: OutboxPlace): boolean {
    return partition !== null && this.#instances.owns(slotOfPartition({ topic, partition }))
  }

  /** R6: another instance may have sent to these partitions, or marked rows of the last cluster. */
  #gained(slots: readonly number[]): void {
    for (const { place, lane } of this.#lanes.values()) {
      if (slots.includes(slotOfPartition(place))) lane.doubt()
    }
    this.#isGained = true
    this.#isToLook = true
    this.nudge()
  }

  async #ended(slots: readonly number[]): Promise<void> {
    const isSending = () =>
      [...this.#lanes.values()].some(
        ({ place, lane }) => lane.isSending && slots.includes(slotOfPartition(place)),
      )
    while (isSending() && !this.#isStopped) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      await promise
    }
  }

  /** Wakes the lanes that have something new to send. */
  async #plan(): Promise<void> {
    try {
      while (this.#isNudged && !this.#isStopped) {
        this.#isNudged = false
        const cluster = await this.#view.meet()
        if (this.#options.carrier === 'debezium') {
          await this.#prune()
          return
        }
        if (cluster.kind === 'away') return
        const isSettled = await this.#settleOn(cluster)
        if (!isSettled) return
        for (const place of await this.#backlog(cluster)) {
          if (this.#isOurs(place)) this.#lane(place, cluster).wake()
        }
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
    const { outbox, log } = this.#options
    const { clusterId, partitions } = cluster
    if (this.#isStillSettled(cluster)) {
      if (this.#isGained) outbox.sent(-(await this.#meet(cluster, [])))
      this.#isGained = false
      return true
    }
    this.#waitsForLanes = this.#isSending()
    if (this.#waitsForLanes) return false
    outbox.route(partitions) // Rows that are said from now on need no routing.
    const count = await this.#meet(cluster, [...partitions])
    outbox.sent(-count)
    for (const { lane } of this.#lanes.values()) lane.stop()
    this.#lanes.clear()
    this.#settled = cluster
    this.#isGained = false
    this.#isToLook = true
    log.info({ clusterId, events: count }, 'the relay has met a Kafka cluster')
    for (const [topic, reason] of cluster.refused) {
      log.error({ topic, reason }, 'events of a topic wait, because Kafka refuses it')
    }
    return true
  }

  /** Makes unsent what another cluster got, and gives rows their partitions. */
  #meet({ clusterId }: MetCluster, topics: readonly (readonly [string, number])[]) {
    const { store } = this.#options
    return store.transaction('meet a cluster', async (db) => {
      if (store.dialect === 'postgres') await meetAlone(db)
      const unsent = await unsendOthers(db, clusterId)
      for (const [topic, partitions] of topics) await routeRows(db, topic, partitions)
      return unsent
    })
  }

  #isStillSettled(cluster: MetCluster): boolean {
    const known = this.#settled
    if (known === cluster) return true
    const { clusterId, partitions } = cluster
    return (
      known?.clusterId === clusterId &&
      known.partitions.size === partitions.size &&
      [...partitions].every(([topic, number]) => known.partitions.get(topic) === number)
    )
  }

  /** The partitions that have, or may have, something to send. */
  async #backlog(cluster: MetCluster): Promise<readonly TopicPartition[]> {
    const called = [...this.#called.values()]
    this.#called.clear()
    if (!this.#isToLook) return called
    this.#isToLook = false
    const { store, outbox } = this.#options
    if (this.#instances.name !== null) await outbox.recount(store.read)
    const topics = await unsentTopics(store.read)
    this.#addStrays(topics)
    await this.#routeUnrouted(cluster)
    const places = topics
      .flatMap((topic) => placesOf(topic, cluster.partitions.get(topic) ?? 0))
      .filter((place) => this.#isOurs(place))
    return [...called, ...(await backlogAmong(store.read, places))]
  }

  /** Topics that the outbox has and the catalogue has not, or no longer: they are made, too. */
  #addStrays(topics: readonly string[]): void {
    const partitions = this.#options.service.catalogue.topics[0]?.partitions ?? 1
    for (const topic of topics) {
      const isNew = this.#view.add({ topic, partitions })
      if (isNew) this.#isNudged = true
    }
  }

  /** Rows that were written before their writer had met the cluster. */
  async #routeUnrouted({ partitions }: MetCluster): Promise<void> {
    const { store } = this.#options
    for (const topic of await unroutedTopics(store.read)) {
      const number = partitions.get(topic)
      if (number === undefined) continue
      await store.transaction('route outbox rows', (db) => routeRows(db, topic, number))
    }
  }

  #lane(place: TopicPartition, { clusterId }: MetCluster): Lane {
    const name = `${place.topic}/${place.partition}`
    const known = this.#lanes.get(name)
    if (known !== undefined) return known.lane
    const lane = new Lane({
      ...this.#options,
      place,
      clusterId,
      isSameCluster: () => this.#isSameCluster(),
      isOurs: () => this.#isOurs(place),
      rested: () => this.#rested(),
      doubted: () => this.#view.forget(),
    })
    this.#lanes.set(name, { place, lane })
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
    if (nowMs - this.#prunedAtMs < pruneEveryMs || !this.#instances.owns(pruningSlot)) return
    this.#prunedAtMs = nowMs
    const prune = this.#options.carrier === 'debezium' ? pruneCarried : pruneSent
    await store.transaction('prune the outbox', (db) => prune(db, nowMs))
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
    this.#tellWaiting()
    this.#finishDraining()
  }

  #tellWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const tell of waiting) tell()
  }

  #finishDraining(): void {
    if (!this.#isSending() && this.#planning === null) this.#drained?.()
  }

  #isSending(): boolean {
    return [...this.#lanes.values()].some(({ lane }) => lane.isSending)
  }
}

/** Whose owner forgets rows that were sent long ago. */
const pruningSlot = 0

/** Two instances that meet a cluster at once would change the same rows, in any order. */
async function meetAlone(db: Transaction<KitTables>): Promise<void> {
  await sql`
    select pg_advisory_xact_lock('millrace_outbox_positions'::regclass::oid::int, 0)
  `.execute(db)
}

function placesOf(topic: string, partitions: number): TopicPartition[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
}
