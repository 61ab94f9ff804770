import { createNoopMeter, type Meter, metrics } from '@opentelemetry/api'
import type { Attempt, AttemptOutcome, Observer, SentBatch } from './observer.ts'
import { errorTypeOf, type OtelOptions } from './otel-spans.ts'

/** The metrics of OpenTelemetry's conventions for messaging, in seconds and messages. */
export class OtelMetrics implements Observer {
  readonly #options: OtelOptions
  readonly #sent
  readonly #consumed
  readonly #operations
  readonly #processing

  constructor(meter: Meter, options: OtelOptions) {
    this.#options = options
    const seconds = { unit: 's', advice: { explicitBucketBoundaries: [...boundaries] } }
    const messages = { unit: '{message}' }
    this.#sent = meter.createCounter('messaging.client.sent.messages', messages)
    this.#consumed = meter.createCounter('messaging.client.consumed.messages', messages)
    this.#operations = meter.createHistogram('messaging.client.operation.duration', seconds)
    this.#processing = meter.createHistogram('messaging.process.duration', seconds)
  }

  sent({ place, records, outcome, startedAtMs, endedAtMs }: SentBatch): void {
    const { topic, partition } = place
    const errorType = outcome.kind === 'sent' ? {} : { errorType: outcome.code }
    const attributes = this.#options.describe({ operation: 'send', topic, partition, ...errorType })
    this.#sent.add(records.length, attributes)
    this.#operations.record(Math.max(0, endedAtMs - startedAtMs) / 1_000, attributes)
  }

  attempted(attempt: Attempt, outcome: AttemptOutcome, atMs: number): void {
    const { deliveries, number, startedAtMs } = attempt
    const [first] = deliveries
    if (first === undefined) return
    const { topic } = first.record
    const { group, describe } = this.#options
    const errorType =
      outcome.kind === 'failed' ? { errorType: errorTypeOf(outcome.failure.signature) } : {}
    const attributes = describe({ operation: 'process', topic, group, ...errorType })
    // A message is delivered once, however often its handler runs.
    if (number === 1) this.#consumed.add(deliveries.length, attributes)
    this.#processing.record(Math.max(0, atMs - startedAtMs) / 1_000, attributes)
  }
}

/** As the conventions recommend them. */
const boundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** Null where no SDK for metrics is installed: then there is nobody to measure for. */
export function installedMeter(): Meter | null {
  const meter = metrics.getMeterProvider().getMeter('@millrace/kit')
  return meter === createNoopMeter() ? null : meter
}
