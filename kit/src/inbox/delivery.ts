import type { AnyEvent } from '../catalogue/catalogue.ts'
import type { RecordOrigin } from '../catalogue/read-record.ts'
import type { IncomingRecord } from '../transport/transport.ts'
import type { Queued } from './key-queues.ts'
import type { Subscription } from './subscription.ts'

/** One event on its way to one subscription. */
export interface Delivery extends Queued {
  readonly subscription: Subscription
  readonly event: AnyEvent
  /** The key by which the event is ordered; null for one that is alone. */
  readonly eventKey: string | null
  readonly traceparent: string | null
  readonly tracestate: string | null
  /** When it took its place in its key's queue. */
  readonly heardAtMs: number
  readonly record: IncomingRecord
  readonly origin: RecordOrigin
  readonly source: DeliverySource
  readonly progress: Progress
}

/** Where it came from, which says what becomes of it in the end. */
export type DeliverySource =
  /** Read from Kafka just now: done means that the watermark may pass it. */
  | {
      readonly kind: 'live'
      readonly done: () => void
      /** True once its partition leaves us: whoever has it next will be given the event. */
      readonly isAbandoned: () => boolean
      /** Fires where another may have its partition already: its handler is to stop. */
      readonly lost?: AbortSignal
      /** In place of `done`: the watermark stays below it. */
      readonly abandon: () => void
    }
  /** Put aside before: done means that its row is gone. */
  | { readonly kind: 'stored'; readonly letter: StoredLetter }

export interface StoredLetter {
  readonly id: number
  readonly letterId: string
}

/** How its attempts went so far. */
export interface Progress {
  /** Runs that count; the next is one more. */
  attempts: number
  /** Of the last failure that was counted: an outage may excuse it later. */
  signature: string | null
  /** How often an outage excused it, while other events were handled in between. */
  excuses: number
  /** At the last excuse: what its subscription had handled until then; null for none. */
  excusedAt: number | null
  /** The run that it is in may hold no more events: a batch that failed is halved. */
  sizeMax: number
  /** The same event was on its way when this one came: it may be handled by now. */
  maybeRepeat: boolean
}

/** Of a delivery that was not tried yet here. One that may be a repeat runs alone. */
export function freshProgress(given: { maybeRepeat: boolean; attempts?: number }): Progress {
  const { maybeRepeat, attempts = 0 } = given
  const sizeMax = maybeRepeat ? 1 : Number.POSITIVE_INFINITY
  return { attempts, signature: null, excuses: 0, excusedAt: null, sizeMax, maybeRepeat }
}

/** The queue in which a delivery waits: its stream's key, or one of its own. */
export function queueKey(stream: string, key: string | null, alone: string): string {
  // A key may hold any character but this one: keys are texts, and NUL is in none worth its name.
  return key === null ? `\u0000${alone}` : `${stream}\u0000${key}`
}

/** True once its partition leaves us: nothing more of it is begun here. */
export function isAbandoned({ source }: Delivery): boolean {
  return source.kind === 'live' && source.isAbandoned()
}

/** True once another may have its partition already. */
export function isLost({ source }: Delivery): boolean {
  return source.kind === 'live' && source.lost?.aborted === true
}
