import type { Envelope } from '../envelope.ts'
import type { DecodedValue } from './wire-format.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** A record's value as a JSON object. Throws what is wrong with it. */
export function readJsonObject(value: Uint8Array): Record<string, unknown> {
  const parsed: unknown = JSON.parse(decoder.decode(value))
  if (!isObject(parsed)) {
    const found = Array.isArray(parsed) ? 'an array' : parsed === null ? 'null' : typeof parsed
    throw new TypeError(`the value is ${found}, not a JSON object`)
  }
  return parsed
}

/**
 * What belongs to the envelope, the payload, and the rest. A member of the envelope that has the
 * wrong type counts as absent: other programs may give the name another sense.
 */
export function takeApart(value: Record<string, unknown>): DecodedValue {
  // One pattern: to delete each name from the object would take ten times as long.
  const {
    eventId,
    eventType,
    timestamp,
    version,
    source,
    correlationId,
    causationId,
    metadata,
    payload,
    ...fields
  } = value
  const envelope: { -readonly [Name in keyof Envelope]?: Envelope[Name] } = {}
  if (typeof eventId === 'string') envelope.eventId = eventId
  if (typeof eventType === 'string') envelope.eventType = eventType
  if (typeof timestamp === 'string') envelope.timestamp = timestamp
  if (typeof version === 'string') envelope.version = version
  if (typeof source === 'string') envelope.source = source
  if (typeof correlationId === 'string') envelope.correlationId = correlationId
  if (typeof causationId === 'string') envelope.causationId = causationId
  if (isObject(metadata)) envelope.metadata = metadata
  return { envelope, fields, payload }
}

/** The names that the envelope keeps for itself: no field of an event may bear one. */
export const envelopeNames: readonly (keyof Envelope)[] = [
  'eventId',
  'eventType',
  'timestamp',
  'version',
  'source',
  'correlationId',
  'causationId',
  'metadata',
]

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
