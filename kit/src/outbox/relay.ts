import type { Clock, Random, Timer } from '../clock.ts'
import { controlTopics } from '../control/control-topics.ts'
import { pruneEveryMs, relayDrainMsMax, relayRowsMax, relaySweepMs } from '../limits.ts'
import type { Log } from '../log.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { Transport } from '../transport/transport.ts'
import { type Cluster, ClusterView } from './cluster-view.ts'
import { Lane } from './lane.ts'
import type { Outbox } from './outbox.ts'
import { partitionOf } from './partitioner.ts'
import { pruneSent } from './retention.ts'
import { type LanePlace, type UnsentRow, unsendOthers, unsentRows } from './unsent.ts'

export interface RelayOptions {
  readonly service: AnyServiceDefinition
  readonly store: Store<KitTables>
  readonly outbox: Outbox
  readonly transport: Transport
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
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
  readonly #strayTopics = new Set<string>()
  #clusterId: string | null = null
  #sweep: Timer | null = null
  #prunedAtMs = Number.NEGATIVE_INFINITY
  #carrying: Promise<void> | null = null
  #isNudged = false
  #isStopping = false
  #drained: (() => void) | null = null

  constructor(options: RelayOptions) {
    this.#options = options
    const { transport, service, clock, outbox } = options
    this.#view = new ClusterView(transport, [...service.catalogue.topics, ...controlTopics], clock)
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
      this.nudge()
    }
    sweep()
  }

  /** Looks for rows to send, soon. Costs nothing where the relay is at it already. */
  nudge(): void {
    this.#isNudged = true
    this.#carrying ??= this.#carry().finally(() => {
      this.#carrying = null
      if (this.#isNudged && !this.#isStopping) this.nudge()
      this.#finishDraining()
    })
  }

  /** Sends what it can within `relayDrainMsMax`, then ends; the next start sends the rest. */
  async stop(): Promise<void> {
    this.#forgetNudge()
    this.#sweep?.cancel()
    this.nudge()
    await this.#drain()
    this.#isStopping = true
    for (const lane of this.#lanes.values()) lane.stop()
  }

  async #carry(): Promise<void> {
    try {
      while (this.#isNudged && !this.#isStopping) {
        this.#isNudged = false
        const cluster = await this.#view.meet()
        if (cluster.kind === 'away') return
        const isSettled = await this.#settleOn(cluster)
        if (!isSettled) return
        const rows = await this.#unsent(cluster)
        this.#dispatch(rows, cluster)
        if (rows.length === relayRowsMax) this.#isNudged = true
        await this.#prune()
      }
    } catch (error) {
      this.#view.forget()
      this.#options.log.error({ err: error }, 'the outbox cannot be read or marked')
    }
  }

  /** R4. Not before all sends to the last cluster have ended; the last of them nudges. */
  async #settleOn({ clusterId }: MetCluster): Promise<boolean> {
    if (clusterId === this.#clusterId) return true
    if (this.#isSending()) return false
    const { store, outbox, log } = this.#options
    const count = await store.transaction('meet a cluster', (db) => unsendOthers(db, clusterId))
    outbox.sent(-count)
    for (const lane of this.#lanes.values()) lane.stop()
    this.#lanes.clear()
    this.#clusterId = clusterId
    log.info({ clusterId, events: count }, 'the relay has met a Kafka cluster')
    return true
  }

  /** What can be sent now: a busy lane, or a topic that the cluster has not got, must wait. */
  async #unsent({ partitions }: MetCluster): Promise<readonly UnsentRow[]> {
    const { store, clock } = this.#options
    const busy = [...this.#lanes.values()].filter(({ isBusy }) => isBusy).map(({ place }) => place)
    const missing = [...this.#strayTopics].filter((topic) => !partitions.has(topic))
    return unsentRows(store.read, {
      busy: [...busy, ...missing.map((topic) => ({ topic, partition: 0, partitions: 1 }))],
      nowMs: clock.nowMs(),
      rowsMax: relayRowsMax,
    })
  }

  /** Gives each lane its rows. */
  #dispatch(rows: readonly UnsentRow[], cluster: MetCluster): void {
    const shares = new Map<Lane, UnsentRow[]>()
    for (const row of rows) {
      const partitions = cluster.partitions.get(row.topic)
      if (partitions === undefined) {
        this.#findStray(row.topic)
        continue
      }
      const partition = partitionOf(row.hash, partitions)
      const lane = this.#lane({ topic: row.topic, partition, partitions }, cluster.clusterId)
      const share = shares.get(lane) ?? []
      share.push(row)
      shares.set(lane, share)
    }
    for (const [lane, share] of shares) void lane.carry(share)
  }

  /** The catalogue does not have the topic any more, or the cluster did not make it. */
  #findStray(topic: string): void {
    if (this.#strayTopics.has(topic)) return
    this.#strayTopics.add(topic)
    const partitions = this.#options.service.catalogue.topics[0]?.partitions ?? 1
    this.#view.add({ topic, partitions })
    this.#isNudged = true
  }

  #lane(place: LanePlace, clusterId: string): Lane {
    const name = `${place.topic}/${place.partition}`
    const known = this.#lanes.get(name)
    if (known !== undefined && known.place.partitions === place.partitions) return known
    const lane = new Lane({
      ...this.#options,
      place,
      clusterId,
      freed: () => {
        if (!this.#isStopping) this.nudge()
      },
      doubted: () => {
        this.#view.forget()
        this.#finishDraining()
      },
    })
    this.#lanes.set(name, lane)
    return lane
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

  #finishDraining(): void {
    if (!this.#isSending() && this.#carrying === null) this.#drained?.()
  }

  #isSending(): boolean {
    return [...this.#lanes.values()].some((lane) => lane.isSending)
  }
}
