import type { Insertable, Kysely, Transaction } from 'kysely'
import type { Catalogue, EventRoute } from '../catalogue/catalogue.ts'
import type { EventHeaders } from '../catalogue/event-headers.ts'
import { envelopeNames, isObject } from '../catalogue/json-value.ts'
import { keyOf, readBody } from '../catalogue/read-record.ts'
import type { Clock, Random } from '../clock.ts'
import type { Correlation } from '../correlation.ts'
import type { Envelope } from '../envelope.ts'
import { MillraceError, messageOf } from '../errors.ts'
import { newEventId } from '../event-id.ts'
import type { PublishOptions } from '../handler.ts'
import { eventBytesMax } from '../limits.ts'
import type { Observer } from '../observe/observer.ts'
import { dueTimeOf } from '../schedule/due-time.ts'
import type { CancelOutcome, Scheduled } from '../schedule/schedule.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { LastWrite } from '../store/last-write.ts'
import type { OutboxRow } from '../store/tables/outbox.ts'
import type { Outbox } from './outbox.ts'
import { keyHash } from './partitioner.ts'

export interface PublisherOptions {
  readonly catalogue: Catalogue
  /** The service that speaks. */
  readonly source: string
  readonly outbox: Outbox
  readonly correlation: Correlation
  readonly clock: Clock
  readonly random: Random
  readonly observer: Observer
  /** Opens the transaction in which the events are said. */
  readonly open: () => Promise<void>
}

/** As the user's, with what caused the event where that is not what caused the transaction. */
export interface SayOptions extends PublishOptions {
  readonly correlation?: Correlation
}

/** A checked event, with its time where it is for later. */
interface Prepared {
  readonly row: Insertable<OutboxRow>
  readonly correlation: Correlation
  readonly due: { readonly dueAtMs: number; readonly scheduleId: string } | null
}

/**
 * What one transaction says: events are checked when they are published, kept in memory, and
 * written as the last thing before the commit, in the order of the calls.
 *
 * B1. A row is written only if every `publish` of the transaction succeeded, awaited or not.
 * B2. From the start of `flush` or `close` on, every `publish` is refused.
 */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #pending: Promise<Prepared>[] = []
  readonly #cancelling: Promise<CancelOutcome>[] = []
  /** Ids of events for later that were cancelled in the transaction that published them. */
  readonly #withdrawn = new Set<string>()
  readonly #timers: Scheduled[] = []
  #later = 0
  #said: readonly Prepared[] = []
  #isClosed = false

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** True once anything was published or cancelled: there is something to commit. */
  get isUsed(): boolean {
    return this.#pending.length > 0 || this.#cancelling.length > 0
  }

  /** See `Publish`. */
  publish(name: string, body: unknown, options: SayOptions = {}): Promise<string> {
    if (this.#isClosed) {
      return Promise.reject(
        new MillraceError(
          'transaction-closed',
          `"${name}" was published after its transaction had ended; await what you publish`,
        ),
      )
    }
    const prepared = this.#prepare(name, body, options)
    this.#pending.push(prepared)
    const eventId = prepared.then(({ row }) => row.event_id)
    // A publish that nobody awaits must not end the process: `flush` throws its error (B1).
    eventId.catch(() => {})
    return eventId
  }

  /** See `Cancel`. */
  cancel(scheduleId: string, db: Transaction<KitTables>): Promise<CancelOutcome> {
    if (this.#isClosed) {
      return Promise.reject(
        new MillraceError(
          'transaction-closed',
          `"${scheduleId}" was cancelled after its transaction had ended; await what you cancel`,
        ),
      )
    }
    const outcome = this.#cancel(scheduleId, db)
    this.#cancelling.push(outcome)
    outcome.catch(() => {}) // as for a publish that nobody awaits
    return outcome
  }

  /** Adds a timer of a process, in a transaction that is open. */
  later(timer: Scheduled): void {
    this.#timers.push(timer)
  }

  /**
   * Resolves once all that was published so far is checked and has its transaction, which can
   * be opened no more once it commits. Throws what is wrong with any of it.
   */
  async settled(): Promise<void> {
    await Promise.all([...this.#pending, ...this.#cancelling])
  }

  /** Writes what was published. Runs last inside the transaction. */
  async flush(db: Kysely<KitTables>): Promise<void> {
    await this.finish(db)
    await this.last()?.write(db)
  }

  /** As `flush`, but for what `last` gives: to be written right before the commit. */
  async finish(db: Kysely<KitTables>): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#cancelling)
    const prepared = await Promise.all(this.#pending)
    const { outbox } = this.#options
    const later = prepared.flatMap(({ row, due }) =>
      due === null || this.#withdrawn.has(row.event_id)
        ? []
        : [{ kind: 'event' as const, row, ...due }],
    )
    const scheduled = [...later, ...this.#timers]
    await outbox.schedule.add(db, scheduled)
    this.#later = scheduled.length
    this.#said = prepared.filter(({ due }) => due === null)
  }

  /** Throws `outbox-full`. */
  last(): LastWrite | null {
    return this.#options.outbox.lastWrite(this.#said.map(({ row }) => row))
  }

  /** To be called once the transaction of `flush` has committed: tells who waits for it. */
  committed(): void {
    const { outbox, observer, clock } = this.#options
    outbox.committed(this.#said.map(({ row }) => row))
    outbox.schedule.committed(this.#later)
    if (observer.said === undefined) return
    const nowMs = clock.nowMs()
    for (const { row, correlation } of this.#said) observer.said(row, correlation, nowMs)
  }

  /** Forgets what was published: the transaction was rolled back. */
  close(): void {
    this.#isClosed = true
    this.#pending.length = 0
  }

  async #prepare(
    name: string,
    body: unknown,
    { metadata = {}, correlation = this.#options.correlation, ...dueOptions }: SayOptions,
  ): Promise<Prepared> {
    const { catalogue, source, clock, random, open } = this.#options
    const route = catalogue.routes.get(name)
    if (route === undefined)
      throw invalid(name, [`catalogue "${catalogue.name}" has no such event`])
    const nowMs = clock.nowMs()
    const dueAtMs = dueTimeOf(`"${name}"`, dueOptions, nowMs)
    const timestampMs = dueAtMs ?? nowMs
    const { fields, payload } = await checkedBody(route, body)
    const envelope: Envelope = {
      eventId: newEventId(nowMs, random),
      eventType: name,
      timestamp: new Date(timestampMs).toISOString(),
      version: route.definition.version,
      source,
      correlationId: correlation.correlationId,
      causationId: correlation.causationId,
      metadata,
    }
    const value = encode(catalogue, { envelope, fields, payload })
    const key = keyOf(route, { fields, payload })
    const trace = this.#traceOf(envelope, route, correlation)
    await open()
    const row = {
      event_id: envelope.eventId,
      event_type: name,
      topic: route.topic,
      stream: route.stream,
      key,
      hash: keyHash(key ?? envelope.eventId),
      value,
      headers: JSON.stringify({
        id: envelope.eventId,
        type: name,
        source,
        version: envelope.version,
        correlationId: correlation.correlationId,
        ...(correlation.causationId === null ? {} : { causationId: correlation.causationId }),
        ...trace,
      }),
      timestamp_ms: timestampMs,
    }
    const { scheduleId = envelope.eventId } = dueOptions
    const due = dueAtMs === null ? null : { dueAtMs, scheduleId }
    return { row, correlation, due }
  }

  async #cancel(scheduleId: string, db: Transaction<KitTables>): Promise<CancelOutcome> {
    const prepared = await Promise.all(this.#pending)
    const outcome = await this.#options.outbox.schedule.cancel(db, 'event', scheduleId)
    const own = prepared.filter(
      ({ row, due }) => due?.scheduleId === scheduleId && !this.#withdrawn.has(row.event_id),
    )
    for (const { row } of own) this.#withdrawn.add(row.event_id)
    return own.length > 0 ? { kind: 'cancelled' } : outcome
  }

  /** The trace goes on from the span that is active, else from what the cause carried. */
  #traceOf(
    { eventId, eventType }: Envelope,
    { topic }: EventRoute,
    correlation: Correlation,
  ): EventHeaders {
    const { observer } = this.#options
    const { traceparent, tracestate = null } =
      observer.propagate?.({ eventId, eventType, topic }, correlation) ?? correlation
    if (traceparent === null) return {}
    return tracestate === null ? { traceparent } : { traceparent, tracestate }
  }
}

async function checkedBody(route: EventRoute, body: unknown) {
  const { eventName } = route
  if (!isObject(body)) throw invalid(eventName, ['the body is no object'])
  const { payload, ...fields } = body
  const taken = envelopeNames.filter((name) => name in fields)
  if (taken.length > 0) {
    throw invalid(
      eventName,
      taken.map((name) => `${name}: belongs to the envelope`),
    )
  }
  const checked = await readBody(route, { fields, payload })
  if (checked.kind === 'invalid') throw invalid(eventName, checked.issues)
  return checked.value
}

function encode(
  { format }: Catalogue,
  event: Parameters<Catalogue['format']['encode']>[0],
): Uint8Array {
  const { eventType } = event.envelope
  let value: Uint8Array
  try {
    value = format.encode(event)
  } catch (error) {
    throw invalid(eventType, [`it cannot be written as ${format.name}: ${messageOf(error)}`])
  }
  if (value.length > eventBytesMax) {
    throw invalid(eventType, [`it takes ${value.length} bytes, and the limit is ${eventBytesMax}`])
  }
  return value
}

function invalid(name: string, issues: readonly string[]): MillraceError {
  return new MillraceError(
    'event-invalid',
    `"${name}" is not published, because it does not fit its schema: ${issues.join('; ')}`,
    { issues },
  )
}
