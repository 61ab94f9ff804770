import type { Envelope } from '../envelope.ts'
import { messageOf } from '../errors.ts'
import { eventIdLengthMax } from '../limits.ts'
import type { IncomingRecord } from '../transport/transport.ts'
import { type AnyEvent, type Catalogue, type EventRoute, eventsOn } from './catalogue.ts'
import { type EventHeaders, readHeaders } from './event-headers.ts'
import { andThen, type Eventually } from './eventually.ts'
import { isOlderVersion, upcastBody } from './upcast.ts'
import { type Validation, validate } from './validation.ts'
import type { DecodedValue } from './wire-format.ts'

/** What a record turned out to be. */
export type ReadRecord =
  | {
      readonly kind: 'event'
      readonly route: EventRoute
      readonly event: AnyEvent
      /** The key by which it is ordered: the catalogue's, else the record's, else none. */
      readonly key: string | null
      readonly traceparent: string | null
      readonly tracestate: string | null
    }
  /** It cannot be decoded, is unknown to the catalogue, or does not fit its schema (P8). */
  | { readonly kind: 'misfit'; readonly reason: string }

/** Where a record came from; together with its place it is its identity where it has no id. */
export interface RecordOrigin {
  readonly clusterId: string
  readonly topicId: string
}

const decoder = new TextDecoder()

/**
 * Reads any program's record as an event of the catalogue. What the value does not say comes
 * from the headers, and what those do not say from the record: its time, and its identity
 * (cluster, topic, partition, offset). Never rejects: a schema or a key that throws on a record
 * is a misfit like any other, because it would throw each time (P8).
 */
export function readRecord(
  catalogue: Catalogue,
  record: IncomingRecord,
  origin: RecordOrigin,
): Eventually<ReadRecord> {
  try {
    const read = readEvent(catalogue, record, origin)
    return read instanceof Promise ? read.catch(unreadable) : read
  } catch (error) {
    return unreadable(error)
  }
}

function unreadable(error: unknown): ReadRecord {
  return misfit(`reading it fails: ${messageOf(error)}`)
}

function readEvent(
  catalogue: Catalogue,
  record: IncomingRecord,
  origin: RecordOrigin,
): Eventually<ReadRecord> {
  if (record.value === null) return misfit('the record has no value')
  const headers = readHeaders(record.headers)
  let decoded: DecodedValue
  try {
    decoded = catalogue.format.decode(record.value)
  } catch (error) {
    return misfit(`not readable as ${catalogue.format.name}: ${messageOf(error)}`)
  }
  const route = routeOf(catalogue, record.topic, decoded.envelope.eventType ?? headers.type)
  if (typeof route === 'string') return misfit(route)
  const version = decoded.envelope.version ?? headers.version
  return andThen(upcastBody(route.definition, version, decoded), (present) =>
    andThen(readBody(route, present), (body): ReadRecord => {
      if (body.kind === 'invalid') return misfit(body.issues.join('; '))
      return eventOf({ decoded, headers, record, origin, route }, body.value)
    }),
  )
}

function eventOf(sources: EnvelopeSources, body: EventBody): ReadRecord {
  const { headers, record, route } = sources
  const envelope = completeEnvelope(sources)
  if (envelope.eventId.length > eventIdLengthMax) {
    return misfit(`eventId is longer than ${eventIdLengthMax} characters`)
  }
  if (!isRfc3339(envelope.timestamp)) {
    return misfit(`timestamp "${envelope.timestamp.slice(0, 40)}" is not an RFC 3339 time`)
  }
  return {
    kind: 'event',
    route,
    event: { ...body.fields, ...envelope, payload: body.payload },
    key: keyOf(route, body) ?? (record.key === null ? null : decoder.decode(record.key)),
    traceparent: headers.traceparent ?? null,
    tracestate: headers.tracestate ?? null,
  }
}

/** The identity of a record that carries no event id. */
export function recordId(record: IncomingRecord, { clusterId, topicId }: RecordOrigin): string {
  return `${clusterId}/${topicId}/${record.partition}/${record.offset}`
}

/** True for any RFC 3339 time: with an offset, with nanoseconds, as Go writes it. */
export function isRfc3339(time: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(time) &&
    !Number.isNaN(Date.parse(time.replace(/(\.\d{3})\d+/, '$1')))
  )
}

export interface EventBody {
  readonly fields: Readonly<Record<string, unknown>>
  readonly payload: unknown
}

type BodyValidation =
  | { readonly kind: 'valid'; readonly value: EventBody }
  | { readonly kind: 'invalid'; readonly issues: readonly string[] }

/** Checks fields and payload by the event's schemas, and gives what the schemas put out. */
export function readBody(
  { definition }: EventRoute,
  { fields, payload }: EventBody,
): Eventually<BodyValidation> {
  return andThen(validate(definition.payload, payload, 'payload'), (checkedPayload) =>
    andThen(
      definition.fields === undefined ? noFields : validate(definition.fields, fields, ''),
      (checkedFields) => bodyOf(checkedFields, checkedPayload),
    ),
  )
}

const noFields = { kind: 'valid', value: {} } as const

function bodyOf(
  checkedFields: Validation<object>,
  checkedPayload: Validation<unknown>,
): BodyValidation {
  if (checkedFields.kind === 'invalid' || checkedPayload.kind === 'invalid') {
    const issues = [checkedFields, checkedPayload].flatMap((checked) =>
      checked.kind === 'invalid' ? checked.issues : [],
    )
    return { kind: 'invalid', issues }
  }
  return {
    kind: 'valid',
    value: { fields: { ...checkedFields.value }, payload: checkedPayload.value },
  }
}

/** The key that the catalogue computes for an event, as it stands in the record. */
export function keyOf({ definition }: EventRoute, { fields, payload }: EventBody): string | null {
  const key = definition.key?.({ ...fields, payload }) ?? null
  return key === null ? null : String(key)
}

/** Finds the event by its type; on a topic of one event the type may be missing. */
function routeOf(
  catalogue: Catalogue,
  topic: string,
  eventType: string | undefined,
): EventRoute | string {
  const candidates = eventsOn(catalogue, topic)
  const [only] = candidates
  if (eventType === undefined && only !== undefined && candidates.length === 1) return only
  const named = candidates.find(({ eventName }) => eventName === eventType)
  if (named !== undefined) return named
  const known = candidates.map(({ eventName }) => `"${eventName}"`).join(', ') || 'none'
  return eventType === undefined
    ? `it does not say its eventType, and topic "${topic}" carries several (${known})`
    : `the catalogue knows no event "${eventType}" on topic "${topic}" (it has ${known})`
}

interface EnvelopeSources {
  readonly decoded: DecodedValue
  readonly headers: EventHeaders
  readonly record: IncomingRecord
  readonly origin: RecordOrigin
  readonly route: EventRoute
}

function completeEnvelope({ decoded, headers, record, origin, route }: EnvelopeSources): Envelope {
  const { envelope } = decoded
  return {
    eventId: envelope.eventId || headers.id || recordId(record, origin),
    eventType: route.eventName,
    timestamp: envelope.timestamp ?? new Date(record.timestampMs).toISOString(),
    version: versionOf(route.definition, envelope.version ?? headers.version),
    source: envelope.source ?? headers.source ?? null,
    correlationId: envelope.correlationId ?? headers.correlationId ?? null,
    causationId: envelope.causationId ?? headers.causationId ?? null,
    metadata: envelope.metadata ?? {},
  }
}

/** What was read as the present version is of it; one that nobody knows says so itself. */
function versionOf(definition: EventRoute['definition'], said: string | undefined): string {
  return said === undefined || isOlderVersion(definition, said) ? definition.version : said
}

function misfit(reason: string): ReadRecord {
  return { kind: 'misfit', reason }
}
