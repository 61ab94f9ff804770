import { sql } from 'kysely'
import type { Clock } from '../clock.ts'
import { letterCounts } from '../dead-letter/letters.ts'
import type { ConsumerStatus } from '../inbox/consumer-status.ts'
import type { JobStatus } from '../job/job.ts'
import type { Cluster } from '../outbox/cluster-view.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { type OutboxHealth, outboxHealth } from '../outbox/outbox-health.ts'
import type { ProjectionStatus } from '../projection/projections.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { DeadLetterState } from '../store/tables/dead-letters.ts'
import type { PartitionLag, Transport } from '../transport/transport.ts'
import { askStore } from './ask-store.ts'
import { noLag, readGroupLag } from './group-lag.ts'
import { LagTrend } from './lag-trend.ts'

/** How the service stands with Kafka. */
export interface ServiceHealth {
  readonly kafka: Cluster | { readonly kind: 'disabled' }
  /** Its consumer group, and how far behind that is; empty while Kafka is away. */
  readonly group: string
  readonly lag: readonly PartitionLag[]
  /** Why Kafka does not tell the lag, though it answers; null where it does. */
  readonly lagUnknown: string | null
  /** By how many records a second the lag has grown for a while; null where it has not. */
  readonly lagGrowth: number | null
  /** The handler that takes longest, on average of its last runs; null before the first. */
  readonly slowest: HandlerTime | null
  /** How its listening goes; null for a service that listens to nothing. */
  readonly consumer: ConsumerStatus | null
  /**
   * Why the database does not answer; null where it does. Outbox, dead letters and jobs are empty
   * then, because nobody knows.
   */
  readonly storeUnknown: string | null
  readonly outbox: OutboxHealth
  /** How many events are put aside, by state. */
  readonly deadLetters: ReadonlyMap<DeadLetterState, number>
  /** What operators have asked for and is under way, on any instance. */
  readonly jobs: readonly JobStatus[]
  readonly projections: readonly ProjectionStatus[]
}

export interface HandlerTime {
  readonly event: string
  readonly averageMs: number
}

export interface HealthParts {
  readonly service: AnyServiceDefinition
  readonly store: Store<KitTables>
  readonly outbox: Outbox
  readonly clock: Clock
  /** Null with KAFKA_ENABLED=false. */
  readonly transport: Pick<Transport, 'lag'> | null
  readonly relay: { readonly cluster: Cluster } | null
  readonly consumer: {
    status(): ConsumerStatus
    readonly operations: { jobs(): Promise<readonly JobStatus[]> }
  } | null
  readonly projections: { status(): readonly ProjectionStatus[] }
  readonly slowest: () => HandlerTime | null
}

const nothingKept: Pick<ServiceHealth, 'outbox' | 'deadLetters' | 'jobs'> = {
  outbox: { unsent: 0, oldestUnsentMs: null, held: [] },
  deadLetters: new Map(),
  jobs: [],
}

/** Reads a service's health; it never rejects. Whoever asks while it is being read gets the same answer. */
export class HealthReader {
  readonly #parts: HealthParts
  readonly #trend = new LagTrend()
  #reading: Promise<ServiceHealth> | null = null

  constructor(parts: HealthParts) {
    this.#parts = parts
  }

  read(): Promise<ServiceHealth> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #read(): Promise<ServiceHealth> {
    const { service, clock, relay, consumer, slowest, projections } = this.#parts
    const [lag, kept] = await Promise.all([this.#lag(), askStore(clock, () => this.#kept())])
    return {
      kafka: relay === null ? { kind: 'disabled' } : relay.cluster,
      group: service.group,
      lag: lag.partitions,
      lagUnknown: lag.unknown,
      lagGrowth: this.#trend.growthPerSecond,
      slowest: slowest(),
      consumer: consumer?.status() ?? null,
      ...(kept.kind === 'told' ? kept.told : nothingKept),
      storeUnknown: kept.kind === 'told' ? null : kept.reason,
      projections: projections.status(),
    }
  }

  /** Why the database does not answer; null where it does. Kafka is not asked. */
  async storeUnknown(): Promise<string | null> {
    const { clock, store } = this.#parts
    const answer = await askStore(clock, () => sql`select 1`.execute(store.read))
    return answer.kind === 'told' ? null : answer.reason
  }

  async #kept() {
    const { store, outbox, clock, consumer } = this.#parts
    return {
      outbox: await outboxHealth(store, outbox, clock),
      deadLetters: await letterCounts(store.read),
      jobs: (await consumer?.operations.jobs()) ?? [],
    }
  }

  async #lag() {
    const { service, clock, transport, relay } = this.#parts
    if (transport === null || relay?.cluster.kind !== 'met') return noLag
    const lag = await readGroupLag(transport, service, clock)
    if (lag.unknown === null) {
      const records = lag.partitions.reduce((sum, at) => sum + at.lag, 0n)
      this.#trend.add({ atMs: clock.nowMs(), lag: Number(records) })
    }
    return lag
  }
}
