import { collectDefaultMetrics, Registry } from 'prom-client'
import { MetricsObserver } from './metrics-observer.ts'
import type { Observer } from './observer.ts'
import { type GaugeSource, StateGauges } from './state-gauges.ts'

/** What `/metrics` answers. */
export interface MetricsPage {
  readonly contentType: string
  readonly text: string
}

/**
 * A service's metrics: what it does, how it stands, and the process that it runs in. Services
 * that share a process have a registry each; what they share is told by each of them.
 */
export class ServiceMetrics {
  /** A service may add metrics of its own to it. */
  readonly registry = new Registry()
  readonly observer: Observer
  readonly #gauges: StateGauges

  constructor(service: string) {
    this.registry.setDefaultLabels({ service })
    this.observer = new MetricsObserver(this.registry)
    this.#gauges = new StateGauges(this.registry)
  }

  async page(source: GaugeSource): Promise<MetricsPage> {
    await this.#gauges.read(source)
    const texts = await Promise.all([this.registry.metrics(), processRegistry().metrics()])
    return { contentType: this.registry.contentType, text: texts.join('\n') }
  }
}

let ofProcess: Registry | null = null

/** The process's own metrics: there is one process, however many services it runs. */
function processRegistry(): Registry {
  if (ofProcess === null) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess })
  }
  return ofProcess
}
