import type { Correlation } from '../correlation.ts'
import type { Envelope } from '../envelope.ts'
import type { Failure } from '../retry/failure.ts'
import type { DeadLetterState } from '../store/tables/dead-letters.ts'
import type { Header, SendOutcome, TopicPartition } from '../transport/transport.ts'

/**
 * The one door for all that is observed: metrics, traces and OpenTelemetry stand behind it, and
 * so does whoever tests the engine. The engine calls `observer.heard?.(…)`: where nobody listens,
 * the arguments are not even made, and where somebody does, they are what the engine has anyway.
 *
 * Calls are synchronous, and none of them may throw: `observeAll` sees to that. What they are
 * given is to be read at once, not kept and not changed.
 */
export interface Observer {
  /** An event is about to be said: gives the trace context that its record carries, if any. */
  propagate?(event: PublishedEvent, correlation: Correlation): TraceContext | null
  /** An event was said: its transaction has committed. */
  said?(row: SaidRow, correlation: Correlation, atMs: number): void
  /** A batch of outbox rows has gone to Kafka, or not. */
  sent?(batch: SentBatch): void
  /** An event has come in and stands in its key's queue; or, stored, it comes back. */
  heard?(delivery: ObservedDelivery, atMs: number): void
  /** An event came again that was handled before; it is not even queued. */
  repeated?(event: Envelope, place: TopicPartition, atMs: number): void
  /** A record is no event of the catalogue (P8). */
  rejected?(record: ObservedRecord, reason: string, atMs: number): void
  /** A handler is about to run. */
  attempting?(attempt: Attempt): void
  /** Runs a handler, and what is to surround it: an active span. */
  around?<Result>(attempt: Attempt, work: () => Result): Result
  /** A handler has run, and its transaction has committed or was rolled back. */
  attempted?(attempt: Attempt, outcome: AttemptOutcome, atMs: number): void
  /** A handler did something outside the database, or left it because it was done before. */
  effect?(effect: ObservedEffect): void
  /** An event waits in memory for its next attempt. */
  delayed?(delivery: ObservedDelivery, delayMs: number, atMs: number): void
  /** An event was put aside: it waits in the store, is given up, or stands behind another. */
  parked?(delivery: ObservedDelivery, letter: ParkedAs, atMs: number): void
  /** A letter is tried again, or given up for good, because somebody asked for it. */
  redriven?(letter: ObservedLetter, atMs: number): void
  discarded?(letter: ObservedLetter, atMs: number): void
  /** An event is done here: handled, handled before, or put aside. */
  settled?(delivery: ObservedDelivery, atMs: number): void
}

/** Listens to nothing, and costs nothing: the default in tests. */
export const noObserver: Observer = {}

/** W3C trace context, as it stands in a record's headers. */
export interface TraceContext {
  readonly traceparent: string
  readonly tracestate: string | null
}

export interface PublishedEvent {
  readonly eventId: string
  readonly eventType: string
  readonly topic: string
}

/** An outbox row, as it was written. */
export interface SaidRow {
  readonly event_id: string
  readonly event_type: string
  readonly topic: string
}

export interface SentBatch {
  readonly place: TopicPartition
  readonly records: readonly SentRecord[]
  readonly outcome: SendOutcome
  readonly startedAtMs: number
  readonly endedAtMs: number
}

export interface SentRecord {
  /** As they stand in the outbox: id, type, correlation, trace context. */
  readonly headers: {
    readonly id?: string
    readonly type?: string
    readonly correlationId?: string
    readonly causationId?: string
    readonly traceparent?: string
    readonly tracestate?: string
  }
  /** When it was said. */
  readonly timestampMs: number
}

export interface ObservedRecord extends TopicPartition {
  readonly offset: bigint
  readonly timestampMs: number
  readonly headers: readonly Header[]
}

export interface ObservedDelivery {
  readonly event: Envelope
  readonly subscription: { readonly name: string; readonly topic: string }
  readonly record: ObservedRecord
  readonly traceparent: string | null
  readonly tracestate: string | null
  /** `stored`: it was put aside before, and comes back. */
  readonly source: { readonly kind: 'live' | 'stored' }
  /** When it took its place in its key's queue. */
  readonly heardAtMs: number
}

/** One run of a handler, on one event or on a batch of them. The same object from first to last. */
export interface Attempt {
  readonly deliveries: readonly ObservedDelivery[]
  /** 1 for the first run of the handler on the event. */
  readonly number: number
  readonly startedAtMs: number
}

export type AttemptOutcome =
  | { readonly kind: 'handled' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Cut short: its partition left us, or its transaction was undone by another's fault. */
  | { readonly kind: 'abandoned' }

export interface ObservedEffect {
  readonly event: Envelope
  readonly name: string
  readonly outcome: 'done' | 'done before' | 'failed'
  readonly startedAtMs: number
  readonly endedAtMs: number
}

export interface ParkedAs {
  readonly state: DeadLetterState
  readonly reason: string
  readonly attempts: number
  /** When it is tried again by itself, if ever. */
  readonly due_at_ms: number | null
}

export interface ObservedLetter {
  readonly letter_id: string
  readonly event_id: string
  readonly event_type: string | null
  readonly correlation_id: string | null
  readonly topic: string
  readonly partition: number
  readonly record_offset: number
}
