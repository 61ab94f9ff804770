import { headerNames } from '../catalogue/event-headers.ts'
import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import type { Delivery } from '../inbox/delivery.ts'
import type { Subscription } from '../inbox/subscription.ts'
import type {
  Header,
  OutgoingRecord,
  TopicDescription,
  TopicRequest,
  Transport,
} from '../transport/transport.ts'

/** One of a subscription's retry topics: what failed waits in it for its next attempt. */
export interface RetryStep {
  readonly topic: string
  readonly delayMs: number
  readonly subscription: Subscription
}

/** What a record on a retry topic says of itself, beside the headers that it came with. */
export const retryHeaderNames = {
  topic: 'retry-original-topic',
  partition: 'retry-original-partition',
  offset: 'retry-original-offset',
  group: 'retry-group',
  /** Runs of the handler that failed. */
  attempt: 'retry-attempt',
  reason: 'retry-reason',
  /** Milliseconds since the epoch: not to be handled before. */
  dueAtMs: 'retry-due-at-ms',
} as const

export interface RetryTopicsOptions {
  readonly transport: Pick<Transport, 'send'>
  readonly group: string
  readonly clock: Clock
  readonly subscriptions: readonly Subscription[]
  /** Of the catalogue: a retry topic has the partitions of its original. */
  readonly topics: readonly TopicRequest[]
}

/**
 * The retry topics of a service. An event that failed is on one of them before its record is done
 * (P6), so that no crash loses it; one between the two leaves it on both, and the inbox knows it.
 */
export class RetryTopics {
  readonly #options: RetryTopicsOptions
  readonly #steps: ReadonlyMap<string, RetryStep>
  readonly #partitions = new Map<string, number>()

  constructor(options: RetryTopicsOptions) {
    this.#options = options
    const { subscriptions, group } = options
    const steps = subscriptions.flatMap((subscription) => stepsOf(subscription, group))
    this.#steps = new Map(steps.map((step) => [step.topic, step]))
  }

  /** To be made, and to be listened to. */
  get topics(): readonly TopicRequest[] {
    return [...this.#steps.values()].map(({ topic, subscription }) => {
      const original = this.#options.topics.find((one) => one.topic === subscription.topic)
      return { topic, partitions: this.#partitions.get(topic) ?? original?.partitions ?? 1 }
    })
  }

  /** Null for a topic that is no retry topic. */
  stepOf(topic: string): RetryStep | null {
    return this.#steps.get(topic) ?? null
  }

  /** How many partitions they have in truth, which may be others than were asked for. */
  learn(topics: readonly TopicDescription[]): void {
    for (const { topic, partitions } of topics) {
      if (this.#steps.has(topic)) this.#partitions.set(topic, partitions)
    }
  }

  /**
   * Puts a failed delivery on the retry topic after its attempt. Throws `kafka-unavailable`, or
   * `topic-refused` where Kafka will never take it.
   */
  async send(delivery: Delivery, delayMs: number, reason: string): Promise<void> {
    const { transport, group, clock } = this.#options
    const { subscription, record } = delivery
    const topic = retryTopicOf(subscription.topic, group, delayMs)
    const partitions = this.topics.find((one) => one.topic === topic)?.partitions ?? 1
    const place = { topic, partition: record.partition % partitions }
    const dueAtMs = clock.nowMs() + delayMs
    const outcome = await transport.send(place, [retryRecord(delivery, { group, dueAtMs, reason })])
    if (outcome.kind === 'sent') return
    const message = `the event could not be put on "${topic}": ${outcome.message}`
    const isRefused = outcome.kind === 'refused'
    throw new MillraceError(isRefused ? 'topic-refused' : 'kafka-unavailable', message, {
      retriable: !isRefused,
    })
  }
}

/** What a record of a retry topic says; null where it is none of ours. */
export function readRetry(
  headers: readonly Header[],
): { attempts: number; dueAtMs: number } | null {
  const attempts = Number(textOf(headers, retryHeaderNames.attempt) ?? Number.NaN)
  const dueAtMs = Number(textOf(headers, retryHeaderNames.dueAtMs) ?? Number.NaN)
  return Number.isSafeInteger(attempts) && Number.isSafeInteger(dueAtMs)
    ? { attempts, dueAtMs }
    : null
}

/** `orders`, `billing`, 5,000 → `orders.billing.retry-5s`. */
export function retryTopicOf(topic: string, group: string, delayMs: number): string {
  return `${topic}.${group}.retry-${durationName(delayMs)}`
}

function durationName(ms: number): string {
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`
  if (ms % 60_000 === 0) return `${ms / 60_000}m`
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`
}

function stepsOf(subscription: Subscription, group: string): readonly RetryStep[] {
  const delays = subscription.options.retry?.topics ?? []
  return delays.map((delayMs) => {
    return { topic: retryTopicOf(subscription.topic, group, delayMs), delayMs, subscription }
  })
}

interface RetryFacts {
  readonly group: string
  readonly dueAtMs: number
  readonly reason: string
}

/** The record as it was, with its id, whatever gave it one, and with where it comes from. */
function retryRecord(delivery: Delivery, { group, dueAtMs, reason }: RetryFacts): OutgoingRecord {
  const { record, event, progress } = delivery
  const { headers } = record
  const names = retryHeaderNames
  const own: Readonly<Record<string, string>> = {
    [headerNames.id]: event.eventId,
    [names.topic]: textOf(headers, names.topic) ?? record.topic,
    [names.partition]: textOf(headers, names.partition) ?? String(record.partition),
    [names.offset]: textOf(headers, names.offset) ?? String(record.offset),
    [names.group]: group,
    [names.attempt]: String(progress.attempts),
    [names.reason]: reason,
    [names.dueAtMs]: String(dueAtMs),
  }
  const added = Object.entries(own).map(([name, value]) => ({ name, value: Buffer.from(value) }))
  const { key, value, timestampMs } = record
  return {
    key,
    value,
    timestampMs,
    headers: [...headers.filter(({ name }) => !(name in own)), ...added],
  }
}

function textOf(headers: readonly Header[], name: string): string | null {
  const found = headers.findLast((header) => header.name === name)
  return found === undefined ? null : Buffer.from(found.value).toString()
}
