import { readHeaders } from '../catalogue/event-headers.ts'
import type { Correlation } from '../correlation.ts'
import type { Envelope } from '../envelope.ts'
import type { TopicPartition } from '../transport/transport.ts'
import type { ChainSampler } from './chain-sampler.ts'
import { traceReasonLengthMax } from './limits.ts'
import type {
  Attempt,
  AttemptOutcome,
  ObservedDelivery,
  ObservedEffect,
  ObservedLetter,
  ObservedRecord,
  Observer,
  ParkedAs,
  SaidRow,
  SentBatch,
} from './observer.ts'
import type { TraceSender } from './trace-sender.ts'
import type { StepKind, TraceStep } from './trace-step.ts'

export interface TraceObserverOptions {
  readonly sampler: ChainSampler
  readonly sender: Pick<TraceSender, 'add' | 'drop'>
}

type Details = Omit<TraceStep, 'step' | 'atMs' | 'id' | 'chain'>

/** Tells the steps of sampled chains. Nothing is made for a step that is not told. */
export class TraceObserver implements Observer {
  readonly #sampler: ChainSampler
  readonly #sender: Pick<TraceSender, 'add' | 'drop'>

  constructor({ sampler, sender }: TraceObserverOptions) {
    this.#sampler = sampler
    this.#sender = sender
  }

  said(row: SaidRow, { correlationId: chain, causationId }: Correlation, atMs: number): void {
    if (!this.#takes(chain)) return
    const { event_id: id, event_type: type, topic } = row
    const cause = causationId === null ? {} : { cause: causationId }
    this.#sender.add({ step: 'said', atMs, id, chain, ...cause, type, topic })
  }

  sent({ place, records, outcome, startedAtMs, endedAtMs: atMs }: SentBatch): void {
    if (outcome.kind !== 'sent') return
    const tookMs = atMs - startedAtMs
    for (const [index, { headers }] of records.entries()) {
      const { id, type, correlationId: chain } = headers
      if (id === undefined || chain === undefined || !this.#takes(chain)) continue
      const offset = Number(outcome.baseOffset) + index
      const known = { ...(type === undefined ? {} : { type }), ...placeOf(place), offset, tookMs }
      this.#sender.add({ step: 'sent', atMs, id, chain, ...known })
    }
  }

  heard(delivery: ObservedDelivery, atMs: number): void {
    const { event, record, source } = delivery
    if (!this.#takes(chainOf(event))) return
    const step = source.kind === 'live' ? 'heard' : 'returned'
    this.#tell(step, event, { atMs, ...causeOf(event), ...recordOf(record) })
  }

  repeated(event: Envelope, place: TopicPartition, atMs: number): void {
    if (!this.#takes(chainOf(event))) return
    this.#tell('repeated', event, { atMs, ...causeOf(event), ...placeOf(place) })
  }

  rejected(record: ObservedRecord, reason: string, atMs: number): void {
    const { id, correlationId: chain, type } = readHeaders(record.headers)
    if (id === undefined || chain === undefined || !this.#takes(chain)) return
    const known = { ...(type === undefined ? {} : { type }), ...recordOf(record) }
    this.#sender.add({ step: 'rejected', atMs, id, chain, ...known, reason: shortened(reason) })
  }

  attempting({ deliveries, number: attempt, startedAtMs: atMs }: Attempt): void {
    for (const { event } of deliveries) {
      if (this.#takes(chainOf(event))) this.#tell('started', event, { atMs, attempt })
    }
  }

  attempted({ deliveries, number, startedAtMs }: Attempt, ended: AttemptOutcome, atMs: number) {
    for (const { event } of deliveries) {
      if (!this.#takes(chainOf(event))) continue
      const reason = ended.kind === 'failed' ? { reason: shortened(ended.failure.message) } : {}
      const how = { attempt: number, tookMs: atMs - startedAtMs, outcome: ended.kind }
      this.#tell('ended', event, { atMs, ...how, ...reason })
    }
  }

  effect({ event, name, outcome, startedAtMs, endedAtMs: atMs }: ObservedEffect): void {
    if (!this.#takes(chainOf(event))) return
    this.#tell('effect', event, { atMs, name, outcome, tookMs: atMs - startedAtMs })
  }

  delayed({ event }: ObservedDelivery, delayMs: number, atMs: number): void {
    if (this.#takes(chainOf(event))) this.#tell('delayed', event, { atMs, dueAtMs: atMs + delayMs })
  }

  parked({ event }: ObservedDelivery, letter: ParkedAs, atMs: number): void {
    if (!this.#takes(chainOf(event))) return
    const { state, attempts: attempt, due_at_ms } = letter
    const due = due_at_ms === null ? {} : { dueAtMs: due_at_ms }
    const reason = shortened(letter.reason)
    this.#tell('parked', event, { atMs, state, reason, attempt, ...due })
  }

  redriven(letter: ObservedLetter, atMs: number): void {
    this.#tellLetter('redriven', letter, atMs)
  }

  discarded(letter: ObservedLetter, atMs: number): void {
    this.#tellLetter('discarded', letter, atMs)
  }

  settled({ event }: ObservedDelivery, atMs: number): void {
    if (this.#takes(chainOf(event))) this.#tell('settled', event, { atMs })
  }

  #takes(chain: string): boolean {
    const isTaken = this.#sampler.takes(chain)
    const dropped = this.#sampler.takeDropped()
    if (dropped > 0) this.#sender.drop(dropped)
    return isTaken
  }

  #tell(step: StepKind, event: Envelope, details: Details & { readonly atMs: number }): void {
    const { eventId: id, eventType: type } = event
    this.#sender.add({ step, id, chain: chainOf(event), type, ...details })
  }

  #tellLetter(step: StepKind, letter: ObservedLetter, atMs: number): void {
    const { event_id: id, event_type: type, topic, partition, record_offset: offset } = letter
    const chain = letter.correlation_id ?? id
    if (!this.#takes(chain)) return
    const known = { ...(type === null ? {} : { type }), topic, partition, offset }
    this.#sender.add({ step, atMs, id, chain, ...known })
  }
}

function chainOf({ correlationId, eventId }: Envelope): string {
  return correlationId ?? eventId
}

function causeOf({ causationId, source }: Envelope): Details {
  return {
    ...(causationId === null ? {} : { cause: causationId }),
    ...(source === null ? {} : { source }),
  }
}

function recordOf({ topic, partition, offset, timestampMs }: ObservedRecord): Details {
  return { topic, partition, offset: Number(offset), recordedAtMs: timestampMs }
}

function placeOf({ topic, partition }: TopicPartition): Details {
  return { topic, partition }
}

function shortened(reason: string): string {
  return reason.length > traceReasonLengthMax ? `${reason.slice(0, traceReasonLengthMax)}…` : reason
}
