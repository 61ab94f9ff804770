import type { Envelope } from '../envelope.ts'

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
 * Takes what belongs to the envelope out of `value`, and leaves the rest. A member of the wrong
 * type is taken out too, as if it were absent: other programs may give the name another sense.
 */
export function readEnvelope(value: Record<string, unknown>): Partial<Envelope> {
  const { eventId, eventType, timestamp, version, source, correlationId, causationId, metadata } =
    value
  for (const name of envelopeNames) delete value[name]
  return {
    ...(typeof eventId === 'string' ? { eventId } : {}),
    ...(typeof eventType === 'string' ? { eventType } : {}),
    ...(typeof timestamp === 'string' ? { timestamp } : {}),
    ...(typeof version === 'string' ? { version } : {}),
    ...(typeof source === 'string' ? { source } : {}),
    ...(typeof correlationId === 'string' ? { correlationId } : {}),
    ...(typeof causationId === 'string' ? { causationId } : {}),
    ...(isObject(metadata) ? { metadata } : {}),
  }
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
