// A catalogue as plain data: to be kept in the repository, compared with a later one, and shown.

import type { Catalogue, EventRoute } from '../catalogue/catalogue.ts'
import { type JsonSchemaObject, jsonSchemaOf, type SchemaSide } from './json-schema.ts'

export interface CatalogueDescription {
  readonly name: string
  /** Of the wire. */
  readonly format: string
  readonly topics: readonly TopicDescription[]
  readonly events: readonly EventDescription[]
}

interface TopicDescription {
  readonly topic: string
  readonly partitions: number
}

export interface EventDescription {
  readonly event: string
  readonly version: string
  readonly topic: string
  readonly stream: string
  /** Whether the catalogue computes a key. */
  readonly keyed: boolean
  /** Versions that are still read, the oldest first. */
  readonly olderVersions: readonly string[]
  readonly fields: SchemaDescription
  readonly payload: SchemaDescription
}

/** Null where a schema cannot be said in JSON Schema; `accepted` and `said` are often alike. */
export interface SchemaDescription {
  /** What a reader takes. */
  readonly accepted: JsonSchemaObject | null
  /** What a publisher puts on the wire. */
  readonly said: JsonSchemaObject | null
}

/** Says everything of a catalogue but its code: keys and upcasts are named, not shown. */
export function describeCatalogue(catalogue: Catalogue): CatalogueDescription {
  return {
    name: catalogue.name,
    format: catalogue.format.name,
    topics: catalogue.topics.map(({ topic, partitions }) => ({ topic, partitions })),
    events: [...catalogue.routes.values()].map(describeEvent),
  }
}

function describeEvent({ eventName, topic, stream, definition }: EventRoute): EventDescription {
  const { version, upcasts = {}, fields, payload } = definition
  const noFields = { type: 'object', properties: {} }
  const sideOf = (schema: typeof payload, side: SchemaSide) => jsonSchemaOf(schema, side)
  return {
    event: eventName,
    version,
    topic,
    stream,
    keyed: definition.key !== undefined,
    olderVersions: Object.keys(upcasts),
    fields:
      fields === undefined
        ? { accepted: noFields, said: noFields }
        : { accepted: sideOf(fields, 'input'), said: sideOf(fields, 'output') },
    payload: { accepted: sideOf(payload, 'input'), said: sideOf(payload, 'output') },
  }
}
