// The schemas of a catalogue as JSON Schema (2020-12), by the validator that each was made with.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { isObject } from '../catalogue/json-value.ts'

/** A JSON Schema: `true` takes everything. */
export type JsonSchema = boolean | JsonSchemaObject
export type JsonSchemaObject = Readonly<Record<string, unknown>>

/** What a reader accepts, or what a publisher puts on the wire. */
export type SchemaSide = 'input' | 'output'

/**
 * The schema as JSON Schema; null where its validator cannot say it: it does not implement
 * Standard JSON Schema, or the schema has a part that JSON has no word for.
 */
export function jsonSchemaOf(schema: StandardSchemaV1, side: SchemaSide): JsonSchemaObject | null {
  const standard: object = schema['~standard']
  const converter = 'jsonSchema' in standard ? standard.jsonSchema : undefined
  if (!isObject(converter)) return null
  const convert = converter[side]
  if (typeof convert !== 'function') return null
  try {
    const converted: unknown = convert({ target: 'draft-2020-12' })
    return isObject(converted) ? withoutDialect(converted) : null
  } catch {
    return null
  }
}

function withoutDialect(converted: Record<string, unknown>): JsonSchemaObject {
  const schema = { ...converted }
  delete schema['$schema']
  return schema
}
