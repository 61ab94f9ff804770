import { Gauge, type Registry } from 'prom-client'
import type { ServiceHealth } from '../health/service-health.ts'
import type { AnyServiceDefinition } from '../service.ts'

export interface GaugeSource {
  readonly service: AnyServiceDefinition
  readonly health: () => Promise<ServiceHealth>
  /** Trace steps that were dropped since the start. */
  readonly droppedSteps: () => number
}

type GaugeName = keyof typeof helps

/** What each gauge tells, and by which labels. */
const helps = {
  kafka_up: ['1 while Kafka answers.', []],
  store_up: ['1 while the database answers.', []],
  consumer_lag: ['Records that the group has not passed yet.', ['topic', 'partition']],
  consumer_lost_records: [
    'Records that retention removed before the group had passed them.',
    ['topic', 'partition'],
  ],
  assigned_partitions: ['Partitions that this instance reads.', ['topic']],
  events_in_memory: ['Events that were fetched and are not done.', []],
  held_keys: ['Keys that a dead letter holds back.', []],
  dead_letters: ['Events that are put aside now.', ['state']],
  breaker_open: ['1 while an outage pauses the handler.', ['event']],
  outbox_events: ['Events that are said and not sent.', []],
  outbox_oldest_seconds: ['How long the oldest of them has waited.', []],
  outbox_held_keys: ['Keys that wait behind an event that Kafka refuses; at most 20.', []],
  trace_steps_dropped: ['Steps that were left out of millrace.traces.', []],
} as const satisfies Record<string, readonly [help: string, labels: readonly string[]]>

/** How the service stands, read from its health when somebody asks for the metrics. */
export class StateGauges {
  readonly #gauges: ReadonlyMap<GaugeName, Gauge>

  constructor(registry: Registry) {
    const names = Object.entries(helps).flatMap(([name, [help, labels]]) => {
      if (!isGaugeName(name)) return []
      const registers = [registry]
      const gauge = new Gauge({
        name: `millrace_${name}`,
        help,
        labelNames: [...labels],
        registers,
      })
      return [[name, gauge] as const]
    })
    this.#gauges = new Map(names)
  }

  async read({ service, health, droppedSteps }: GaugeSource): Promise<void> {
    const { kafka, lag, consumer, storeUnknown, outbox, deadLetters } = await health()
    for (const gauge of this.#gauges.values()) gauge.reset()
    this.#set('kafka_up', kafka.kind === 'met' ? 1 : 0)
    for (const { topic, partition, ...at } of lag) {
      const place = [topic, String(partition)]
      this.#set('consumer_lag', Number(at.lag), place)
      const lost = at.committed === null ? 0n : at.start - at.committed
      if (lost > 0n) this.#set('consumer_lost_records', Number(lost), place)
    }
    for (const { topic } of consumer?.partitions ?? []) this.#add('assigned_partitions', [topic])
    this.#set('events_in_memory', consumer?.events ?? 0)
    this.#set('held_keys', consumer?.heldKeys ?? 0)
    this.#set('store_up', storeUnknown === null ? 1 : 0)
    for (const [state, count] of deadLetters) this.#set('dead_letters', count, [state])
    const broken = new Set(consumer?.outages.map(({ subscription }) => subscription))
    for (const event of service.handlers.keys()) {
      this.#set('breaker_open', broken.has(event) ? 1 : 0, [event])
    }
    this.#set('trace_steps_dropped', droppedSteps())
    if (storeUnknown !== null) return // A 0 would say that nothing waits.
    this.#set('outbox_events', outbox.unsent)
    this.#set('outbox_oldest_seconds', (outbox.oldestUnsentMs ?? 0) / 1_000)
    this.#set('outbox_held_keys', outbox.held.length)
  }

  #set(name: GaugeName, value: number, labels: readonly string[] = []): void {
    this.#gauges
      .get(name)
      ?.labels(...labels)
      .set(value)
  }

  #add(name: GaugeName, labels: readonly string[]): void {
    this.#gauges
      .get(name)
      ?.labels(...labels)
      .inc()
  }
}

function isGaugeName(name: string): name is GaugeName {
  return name in helps
}
