import { hostname } from 'node:os'
import process from 'node:process'
import type { Clock, Random } from '../clock.ts'
import type { Environment } from '../environment.ts'
import { newEventId } from '../event-id.ts'
import { kafkaReport } from '../health/kafka-report.ts'
import type { ServiceHealth } from '../health/service-health.ts'
import type { Log } from '../log.ts'
import type { RunningServer } from '../server.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { Transport } from '../transport/transport.ts'
import { ChainSampler } from './chain-sampler.ts'
import { HandlerTimes } from './handler-times.ts'
import { kitVersion } from './kit-version.ts'
import { serviceBeatMs, traceStepsPerSecondMax } from './limits.ts'
import { observeAll } from './observe-all.ts'
import type { Observer } from './observer.ts'
import { messagingAttributes } from './otel-attributes.ts'
import { installedMeter, OtelMetrics } from './otel-metrics.ts'
import { OtelSpans } from './otel-spans.ts'
import { ServiceBeat } from './service-beat.ts'
import { type MetricsPage, ServiceMetrics } from './service-metrics.ts'
import type { ServiceRecord } from './service-record.ts'
import { TraceObserver } from './trace-observer.ts'
import { readTraceRate } from './trace-rate.ts'
import { TraceSender } from './trace-sender.ts'

export interface ObservationOptions {
  readonly service: AnyServiceDefinition
  readonly clock: Clock
  readonly random: Random
  readonly env: Environment
  readonly log: Log
  /** Of whoever started the service. */
  readonly observer?: Observer
  /** False: nothing is told on the control topics. */
  readonly announces: boolean
}

/** Kafka, as soon as there is one. */
export interface ObservationLink {
  readonly transport: Transport
  /** Whether Kafka answers and has the control topics. */
  readonly isReady: () => boolean
}

/** The running service, as it tells of itself. */
export interface ObservedService {
  readonly health: () => Promise<ServiceHealth>
  readonly servers: readonly RunningServer[]
}

/** All by which one running service is seen from outside: metrics, traces, its own record. */
export class Observation {
  readonly observer: Observer
  readonly metrics: ServiceMetrics
  readonly times = new HandlerTimes()
  readonly #options: ObservationOptions
  readonly #instance: string
  readonly #sinceMs: number
  readonly #published = new Set<string>()
  #link: ObservationLink | null = null
  #beat: ServiceBeat | null = null
  readonly #traces: TraceSender

  constructor(options: ObservationOptions) {
    this.#options = options
    const { service, clock, random, env, log, observer } = options
    this.#sinceMs = clock.nowMs()
    this.#instance = newEventId(this.#sinceMs, random)
    this.metrics = new ServiceMetrics(service.name)
    const sender = new TraceSender({
      service: service.name,
      instance: this.#instance,
      clock,
      isReady: () => this.#link?.isReady() ?? false,
      transport: { send: (place, records) => this.#send(place, records) },
    })
    this.#traces = sender
    const rate = options.announces ? readTraceRate(env) : 0
    const sampler = new ChainSampler({ rate, stepsPerSecondMax: traceStepsPerSecondMax, clock })
    const otel = { group: service.group, describe: messagingAttributes(env) }
    const meter = installedMeter()
    const observers: readonly Observer[] = [
      new OtelSpans(otel),
      ...(meter === null ? [] : [new OtelMetrics(meter, otel)]),
      this.metrics.observer,
      this.times,
      { said: ({ event_type }) => void this.#published.add(event_type) },
      ...(rate > 0 ? [new TraceObserver({ sampler, sender })] : []),
      ...(observer === undefined ? [] : [observer]),
    ]
    this.observer = observeAll(observers, log)
  }

  /** From now on there is a Kafka to tell it to. */
  connect(link: ObservationLink): void {
    this.#link = link
  }

  /** The service runs: it tells of itself from now on. */
  announce(running: ObservedService): void {
    if (this.#link === null || !this.#options.announces) return
    this.#beat = new ServiceBeat({
      service: this.#options.service.name,
      instance: this.#instance,
      clock: this.#options.clock,
      ...this.#link,
      describe: () => this.#describe(running),
    })
    this.#beat.start()
  }

  page(health: () => Promise<ServiceHealth>): Promise<MetricsPage> {
    const { service } = this.#options
    return this.metrics.page({ service, health, droppedSteps: () => this.#traces.dropped })
  }

  async stop(): Promise<void> {
    await this.#traces.stop()
    await this.#beat?.stop()
  }

  #send(...[place, records]: Parameters<Transport['send']>): ReturnType<Transport['send']> {
    const away = {
      kind: 'unavailable',
      code: 'not-connected',
      message: 'there is no Kafka',
    } as const
    return this.#link?.transport.send(place, records) ?? Promise.resolve(away)
  }

  async #describe({ health, servers }: ObservedService): Promise<ServiceRecord> {
    const { service, clock } = this.#options
    const standing = await health()
    const { status, reason, deadLetters, groups } = kafkaReport(standing)
    const subscribes = [...service.handlers.keys()].map((event) => ({
      event,
      topic: service.catalogue.routes.get(event)?.topic ?? '',
    }))
    const own = new Set(subscribes.map(({ topic }) => topic))
    const partitions = standing.consumer?.partitions.filter(({ topic }) => own.has(topic)) ?? []
    return {
      version: 1,
      service: service.name,
      instance: this.#instance,
      state: 'up',
      host: hostname(),
      pid: process.pid,
      node: process.versions.node,
      kit: kitVersion(),
      since: new Date(this.#sinceMs).toISOString(),
      at: new Date(clock.nowMs()).toISOString(),
      beatMs: serviceBeatMs,
      urls: servers.flatMap(({ urls = [] }) => urls),
      publishes: [...this.#published].sort(),
      subscribes,
      group: service.group,
      partitions: partitions.length,
      lag: groups[0]?.lag ?? null,
      health: status,
      reason,
      unsent: standing.outbox.unsent,
      oldestUnsentMs: standing.outbox.oldestUnsentMs,
      deadLetters,
      paused: standing.consumer?.paused.map(({ subscription }) => subscription) ?? [],
      jobs: standing.jobs.map(({ id, kind }) => ({ id, kind })),
      rebuilding: standing.projections.flatMap(({ name, building }) =>
        building === null ? [] : [name],
      ),
    }
  }
}
