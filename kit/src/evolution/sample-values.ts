// Values that a schema allows, to try an upcast on: the smallest, the fullest, and one for each
// alternative. Few and always the same, so that a check gives the same answer twice.

import { isObject } from '../catalogue/json-value.ts'
import type { JsonSchema, JsonSchemaObject } from './json-schema.ts'

/** More would prove no more. */
const samplesMax = 24

/** Null where the schema has a part that cannot be met by trying, a pattern for example. */
export function sampleValues(schema: JsonSchemaObject): readonly unknown[] | null {
  try {
    const sampler = new Sampler(schema)
    const samples = sampler.samplesOf(schema)
    const seen = new Map(samples.map((sample) => [JSON.stringify(sample), sample]))
    return [...seen.values()].slice(0, samplesMax)
  } catch (error) {
    if (error instanceof Unmet) return null
    throw error
  }
}

/** There is a value, but not one that can be guessed. */
class Unmet extends Error {}

const formats: Readonly<Record<string, string>> = {
  email: 'jane@example.com',
  uuid: '550e8400-e29b-41d4-a716-446655440000',
  'date-time': '2024-01-15T10:30:00.000Z',
  date: '2024-01-15',
  time: '10:30:00',
  uri: 'https://example.com/',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  duration: 'PT1H',
}

class Sampler {
  readonly #root: JsonSchemaObject
  #depth = 0

  constructor(root: JsonSchemaObject) {
    this.#root = root
  }

  samplesOf(schema: JsonSchema): readonly unknown[] {
    if (schema === true) return ['anything']
    if (schema === false || this.#depth > 12) throw new Unmet()
    this.#depth++
    try {
      return this.#ofObject(schema)
    } finally {
      this.#depth--
    }
  }

  #ofObject(schema: JsonSchemaObject): readonly unknown[] {
    if ('const' in schema) return [schema['const']]
    if (Array.isArray(schema['enum'])) return schema['enum']
    const alternatives = schema['anyOf'] ?? schema['oneOf']
    if (Array.isArray(alternatives)) return alternatives.flatMap((one) => this.#ofUnknown(one))
    if (typeof schema['$ref'] === 'string') return this.#ofReference(schema['$ref'])
    const { type } = schema
    if (Array.isArray(type)) return type.flatMap((one) => this.#ofType({ ...schema, type: one }))
    return this.#ofType(schema)
  }

  #ofUnknown(schema: unknown): readonly unknown[] {
    if (typeof schema === 'boolean' || isObject(schema)) return this.samplesOf(schema)
    throw new Unmet()
  }

  #ofReference(reference: string): readonly unknown[] {
    if (reference === '#') return this.samplesOf(this.#root)
    const definitions = this.#root['$defs']
    const name = reference.replace('#/$defs/', '')
    return this.#ofUnknown(isObject(definitions) ? definitions[name] : undefined)
  }

  #ofType(schema: JsonSchemaObject): readonly unknown[] {
    switch (schema['type']) {
      case 'null':
        return [null]
      case 'boolean':
        return [true, false]
      case 'integer':
      case 'number':
        return [numberOf(schema)]
      case 'string':
        return [textOf(schema)]
      case 'array':
        return this.#arrays(schema)
      case 'object':
        return this.#objects(schema)
      case undefined:
        return ['anything']
      default:
        throw new Unmet()
    }
  }

  #arrays(schema: JsonSchemaObject): readonly unknown[] {
    if (schema['prefixItems'] !== undefined) throw new Unmet()
    const count = Math.max(1, sizeOf(schema, 'minItems', 0))
    const items = this.#ofUnknown(schema['items'] ?? true)
    const full = items.map((item) => Array.from({ length: count }, () => item))
    return sizeOf(schema, 'minItems', 0) === 0 ? [[], ...full] : full
  }

  /** The smallest, then the fullest with each of the samples of each property in turn. */
  #objects(schema: JsonSchemaObject): readonly unknown[] {
    const properties = isObject(schema['properties']) ? schema['properties'] : {}
    const required = Array.isArray(schema['required']) ? schema['required'] : []
    const samples = Object.entries(properties).map(
      ([name, one]) => [name, this.#ofUnknown(one)] as const,
    )
    const full = Object.fromEntries(samples.map(([name, [first]]) => [name, first]))
    const smallest = Object.fromEntries(
      Object.entries(full).filter(([name]) => required.includes(name)),
    )
    const others = samples.flatMap(([name, [, ...rest]]) =>
      rest.map((value) => ({ ...full, [name]: value })),
    )
    return [full, smallest, ...others]
  }
}

function numberOf(schema: JsonSchemaObject): number {
  const low = sizeOf(schema, 'minimum', sizeOf(schema, 'exclusiveMinimum', -1) + 1)
  const high = sizeOf(schema, 'maximum', sizeOf(schema, 'exclusiveMaximum', Infinity))
  const value = Math.min(Math.max(low, 1), high)
  const step = schema['multipleOf']
  return typeof step === 'number' ? Math.ceil(value / step) * step : value
}

function textOf(schema: JsonSchemaObject): string {
  const { format } = schema
  const known = typeof format === 'string' ? formats[format] : undefined
  if (known !== undefined) return known
  if (schema['pattern'] !== undefined) throw new Unmet()
  const length = Math.max(1, sizeOf(schema, 'minLength', 0))
  return 'text'.repeat(Math.ceil(length / 4)).slice(0, Math.max(length, Math.min(4, maxOf(schema))))
}

function maxOf(schema: JsonSchemaObject): number {
  return sizeOf(schema, 'maxLength', 4)
}

function sizeOf(schema: JsonSchemaObject, word: string, otherwise: number): number {
  const size = schema[word]
  return typeof size === 'number' ? size : otherwise
}
