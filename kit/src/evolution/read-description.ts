// A description that was kept as JSON, read back: it may be of any age, or any file.

import { isObject } from '../catalogue/json-value.ts'
import { MillraceError } from '../errors.ts'
import type {
  CatalogueDescription,
  EventDescription,
  SchemaDescription,
} from './describe-catalogue.ts'

/** Throws `definition-invalid` where the text is no description of a catalogue. */
export function readDescription(json: string): CatalogueDescription {
  const value = parsed(json)
  const { name, format, topics, events } = isObject(value) ? value : {}
  if (
    typeof name !== 'string' ||
    typeof format !== 'string' ||
    !Array.isArray(topics) ||
    !Array.isArray(events)
  ) {
    throw notOne('it has no "name", "format", "topics" and "events"')
  }
  return { name, format, topics: topics.map(readTopic), events: events.map(readEvent) }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw notOne('it is no JSON')
  }
}

function readTopic(value: unknown): CatalogueDescription['topics'][number] {
  const { topic, partitions } = isObject(value) ? value : {}
  if (typeof topic !== 'string' || typeof partitions !== 'number') {
    throw notOne('a topic has a "topic" and "partitions"')
  }
  return { topic, partitions }
}

function readEvent(value: unknown): EventDescription {
  const { event, version, topic, stream, keyed, olderVersions, fields, payload } = isObject(value)
    ? value
    : {}
  if (
    typeof event !== 'string' ||
    typeof version !== 'string' ||
    typeof topic !== 'string' ||
    typeof stream !== 'string'
  ) {
    throw notOne('an event has an "event", a "version", a "topic" and a "stream"')
  }
  return {
    event,
    version,
    topic,
    stream,
    keyed: keyed === true,
    olderVersions: Array.isArray(olderVersions) ? olderVersions.map(String) : [],
    fields: readSchemas(fields),
    payload: readSchemas(payload),
  }
}

function readSchemas(value: unknown): SchemaDescription {
  const { accepted, said } = isObject(value) ? value : {}
  return {
    accepted: isObject(accepted) ? accepted : null,
    said: isObject(said) ? said : null,
  }
}

function notOne(why: string): MillraceError {
  return new MillraceError(
    'definition-invalid',
    `this is no description of a catalogue: ${why}; write one with "millrace catalogue"`,
  )
}
