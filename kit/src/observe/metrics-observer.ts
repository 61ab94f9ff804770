import { Histogram, type Registry } from 'prom-client'
import type { Envelope } from '../envelope.ts'
import type {
  Attempt,
  AttemptOutcome,
  ObservedDelivery,
  ObservedEffect,
  ObservedRecord,
  Observer,
  ParkedAs,
  SaidRow,
  SentBatch,
} from './observer.ts'
import { Tally } from './tally.ts'

/**
 * Counts and times what the engine does. Labels are names of events and topics, which the
 * catalogue limits, and words of a list: never a key or an id.
 */
export class MetricsObserver implements Observer {
  readonly #said: Tally<'event'>
  readonly #sent: Tally<'topic'>
  readonly #unsent: Tally<'topic' | 'code'>
  readonly #heard: Tally<'event'>
  readonly #repeated: Tally<'event'>
  readonly #rejected: Tally<'topic'>
  readonly #attempts: Tally<'event' | 'outcome'>
  readonly #retries: Tally<'event'>
  readonly #aside: Tally<'event' | 'state'>
  readonly #effects: Tally<'event' | 'outcome'>
  readonly #relayed: Histogram
  readonly #sending: Histogram<'topic'>
  readonly #queued: Histogram<'event'>
  readonly #handled: Histogram<'event'>

  constructor(registry: Registry) {
    const event = ['event'] as const
    const topic = ['topic'] as const
    const tally = <Label extends string>(
      name: string,
      help: string,
      labels: readonly [Label] | readonly [Label, Label],
    ) => new Tally({ name: `millrace_${name}_total`, help, labels, registry })
    this.#said = tally('events_said', 'Events whose transaction committed.', event)
    this.#sent = tally('events_sent', 'Events that Kafka acknowledged.', topic)
    this.#unsent = tally('send_failures', 'Sends that Kafka refused or did not answer.', [
      'topic',
      'code',
    ])
    this.#heard = tally('events_heard', 'Events that came in for a handler.', event)
    this.#repeated = tally('events_repeated', 'Events that came again and were left.', event)
    this.#rejected = tally('records_rejected', 'Records that are no event.', topic)
    this.#attempts = tally('attempts', 'Runs of handlers, by how they ended.', ['event', 'outcome'])
    this.#retries = tally('retries', 'Runs of handlers after the first.', event)
    this.#aside = tally('events_put_aside', 'Events put aside, by state.', ['event', 'state'])
    this.#effects = tally('effects', 'Effects of handlers, by how they ended.', [
      'event',
      'outcome',
    ])
    const registers = [registry]
    this.#relayed = new Histogram({
      name: 'millrace_relay_latency_seconds',
      help: 'From an event being said to Kafka having it.',
      buckets: [...seconds],
      registers,
    })
    this.#sending = new Histogram({
      name: 'millrace_send_duration_seconds',
      help: 'Sends to Kafka.',
      labelNames: topic,
      buckets: [...seconds],
      registers,
    })
    this.#queued = new Histogram({
      name: 'millrace_queue_wait_seconds',
      help: 'From an event coming in to its handler being run.',
      labelNames: event,
      buckets: [...seconds],
      registers,
    })
    this.#handled = new Histogram({
      name: 'millrace_handler_duration_seconds',
      help: 'Runs of handlers, their transaction included.',
      labelNames: event,
      buckets: [...seconds],
      registers,
    })
  }

  said({ event_type }: SaidRow): void {
    this.#said.add(event_type)
  }

  sent({ place: { topic }, records, outcome, startedAtMs, endedAtMs }: SentBatch): void {
    if (outcome.kind !== 'sent') {
      this.#unsent.add(topic, outcome.code)
      return
    }
    this.#sent.add(topic, '', records.length)
    this.#sending.observe({ topic }, secondsOf(endedAtMs - startedAtMs))
    for (const { timestampMs } of records) this.#relayed.observe(secondsOf(endedAtMs - timestampMs))
  }

  heard({ subscription, source }: ObservedDelivery): void {
    if (source.kind === 'live') this.#heard.add(subscription.name)
  }

  repeated({ eventType }: Envelope): void {
    this.#repeated.add(eventType)
  }

  rejected({ topic }: ObservedRecord): void {
    this.#rejected.add(topic)
  }

  attempting({ deliveries, number, startedAtMs }: Attempt): void {
    for (const { subscription, heardAtMs } of deliveries) {
      if (number > 1) this.#retries.add(subscription.name)
      else this.#queued.observe({ event: subscription.name }, secondsOf(startedAtMs - heardAtMs))
    }
  }

  attempted({ deliveries, startedAtMs }: Attempt, { kind }: AttemptOutcome, atMs: number): void {
    for (const { subscription } of deliveries) this.#attempts.add(subscription.name, kind)
    const event = deliveries[0]?.subscription.name
    if (event !== undefined) this.#handled.observe({ event }, secondsOf(atMs - startedAtMs))
  }

  effect({ event, outcome }: ObservedEffect): void {
    this.#effects.add(event.eventType, outcome)
  }

  parked({ subscription }: ObservedDelivery, { state }: ParkedAs): void {
    this.#aside.add(subscription.name, state)
  }
}

/** From a quick handler to one that is about to hit its time limit. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** A clock that was set back must not make a negative time. */
function secondsOf(ms: number): number {
  return Math.max(0, ms) / 1_000
}
