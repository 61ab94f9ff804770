// Whether what one schema allows is allowed by another, too.
//
// N1. Every value that the older schema takes and the newer one does not is covered by a narrowing
//     that is returned. What cannot be compared counts as one, and says so.
// N2. A schema is no narrower than itself.

import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../catalogue/json-value.ts'
import type { JsonSchema, JsonSchemaObject } from './json-schema.ts'

/** One way in which a value that was valid is valid no more. */
export interface Narrowing {
  /** `payload.address.city` */
  readonly at: string
  readonly what: string
}

/** The ways in which `newer` takes less than `older`; none means that it takes all of it. */
export function narrowings(
  older: JsonSchemaObject,
  newer: JsonSchemaObject,
  at: string,
): readonly Narrowing[] {
  if (isDeepStrictEqual(older, newer)) return [] // N2
  return compare(older, newer, { at, olderRoot: older, newerRoot: newer, depth: 0, under: [] })
}

interface Place {
  readonly at: string
  readonly olderRoot: JsonSchemaObject
  readonly newerRoot: JsonSchemaObject
  readonly depth: number
  /** What is being compared further up, where a schema refers to itself. */
  readonly under: readonly (readonly [JsonSchema, JsonSchema])[]
}

/** Deeper than any event; a schema that refers to itself ends here. */
const depthMax = 32

function compare(olderGiven: JsonSchema, newerGiven: JsonSchema, above: Place): Narrowing[] {
  const older = resolved(olderGiven, above.olderRoot)
  const newer = resolved(newerGiven, above.newerRoot)
  if (newer === true || older === false) return []
  if (!refers(older) && isDeepStrictEqual(older, newer)) return [] // N2
  if (above.under.some(([one, other]) => one === older && other === newer)) return []
  const place = { ...above, under: [...above.under, [older, newer] as const] }
  if (newer === false) return [narrowed(place, 'nothing is valid any more')]
  if (place.depth > depthMax) return []
  if (older === true) return restricts(newer) ? [narrowed(place, 'anything was valid')] : []
  const olderAlternatives = alternativesOf(older) ?? typedValuesOf(older)
  if (olderAlternatives !== null) {
    return olderAlternatives.flatMap((one) => compare(one, newer, place))
  }
  const newerAlternatives = alternativesOf(newer)
  if (newerAlternatives !== null) {
    return [...besideAlternatives(newer, place), ...closest(older, newerAlternatives, place)]
  }
  return [
    ...uncomparable(older, newer, place),
    ...compareValues(older, newer, place),
    ...compareTypes(older, newer, place),
  ]
}

/** Follows `#/$defs/name`; any other reference stays, and is uncomparable unless equal. */
function resolved(schema: JsonSchema, root: JsonSchemaObject): JsonSchema {
  if (typeof schema === 'boolean') return schema
  const reference = schema['$ref']
  if (reference === '#') return root
  if (typeof reference !== 'string' || !reference.startsWith('#/$defs/')) return schema
  const definitions = root['$defs']
  const found = isObject(definitions) ? definitions[reference.slice('#/$defs/'.length)] : undefined
  return isSchema(found) ? found : schema
}

function alternativesOf(schema: JsonSchemaObject): readonly JsonSchema[] | null {
  const alternatives = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(alternatives)) return alternatives.filter(isSchema)
  const { type } = schema
  if (!Array.isArray(type)) return null
  return type.map((one: unknown) => ({ ...schema, type: one }))
}

/** The same words may refer to what is not the same. */
function refers(schema: JsonSchema): boolean {
  return JSON.stringify(schema).includes('"$ref":')
}

/** Values of several types, each with its own. */
function typedValuesOf(schema: JsonSchemaObject): readonly JsonSchema[] | null {
  const values = valuesOf(schema)
  if (values === null || schema['type'] !== undefined) return null
  return values.map((value) => ({ const: value, type: jsonTypeOf(value) }))
}

function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

function besideAlternatives(newer: JsonSchemaObject, place: Place): Narrowing[] {
  const word = ['anyOf', 'oneOf'].find((one) => Array.isArray(newer[one]))
  if (word === undefined) return []
  return Object.keys(newer)
    .filter((other) => other !== word && !silent.has(other))
    .map((other) => narrowed(place, `"${other}" beside "${word}" cannot be compared`))
}

/** One alternative must take it; of none the one that nearly does says what is wrong. */
function closest(
  older: JsonSchemaObject,
  alternatives: readonly JsonSchema[],
  place: Place,
): Narrowing[] {
  const outcomes = alternatives.map((one) => compare(older, one, place))
  return outcomes.toSorted((one, other) => one.length - other.length)[0] ?? []
}

/** Words that this comparison understands, and words that restrict nothing. */
const compared = new Set(
  (
    'type enum const properties required additionalProperties items ' +
    'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf ' +
    'minLength maxLength pattern format minItems maxItems uniqueItems propertyNames'
  ).split(' '),
)
const silent = new Set(
  (
    '$schema $id $defs $comment title description default examples deprecated readOnly writeOnly ' +
    'contentEncoding contentMediaType'
  ).split(' '),
)

function restricts(schema: JsonSchemaObject): boolean {
  return Object.keys(schema).some((word) => !silent.has(word))
}

function uncomparable(older: JsonSchemaObject, newer: JsonSchemaObject, place: Place): Narrowing[] {
  return Object.keys(newer)
    .filter((word) => !compared.has(word) && !silent.has(word))
    .filter((word) => !isDeepStrictEqual(older[word], newer[word]))
    .map((word) => narrowed(place, `"${word}" cannot be compared`))
}

function compareValues(
  older: JsonSchemaObject,
  newer: JsonSchemaObject,
  place: Place,
): Narrowing[] {
  const now = valuesOf(newer)
  if (now === null) return []
  const before = valuesOf(older)
  const list = now.map((value) => JSON.stringify(value)).join(', ')
  if (before === null)
    return [narrowed(place, `only ${list} ${now.length > 1 ? 'are' : 'is'} valid`)]
  return before
    .filter((value) => !now.some((one) => isDeepStrictEqual(one, value)))
    .map((value) => narrowed(place, `${JSON.stringify(value)} is valid no more, only ${list}`))
}

function valuesOf(schema: JsonSchemaObject): readonly unknown[] | null {
  if ('const' in schema) return [schema['const']]
  return Array.isArray(schema['enum']) ? schema['enum'] : null
}

function compareTypes(older: JsonSchemaObject, newer: JsonSchemaObject, place: Place): Narrowing[] {
  const before = typeOf(older)
  const now = typeOf(newer)
  if (now !== null && before !== now && !(before === 'integer' && now === 'number')) {
    const was = before === null ? 'anything' : `of type ${before}`
    return [narrowed(place, `it must be of type ${now}, and was ${was}`)]
  }
  return [
    ...compareObjects(older, newer, place),
    ...compareItems(older, newer, place),
    ...compareLimits(older, newer, place),
    ...compareTexts(older, newer, place),
  ]
}

function typeOf(schema: JsonSchemaObject): string | null {
  const { type } = schema
  return typeof type === 'string' ? type : null
}

function compareObjects(
  older: JsonSchemaObject,
  newer: JsonSchemaObject,
  place: Place,
): Narrowing[] {
  const before = propertiesOf(older)
  const now = propertiesOf(newer)
  const rest = newer['additionalProperties']
  const changed = Object.entries(before).flatMap(([name, schema]) => {
    const inside = below(place, name)
    const next = now[name]
    if (next !== undefined) return compare(schema, next, inside)
    if (rest === false) return [narrowed(inside, 'is not allowed any more')]
    return isSchema(rest) ? compare(schema, rest, inside) : []
  })
  const wasRequired = requiredOf(older)
  const required = requiredOf(newer)
    .filter((name) => !wasRequired.includes(name))
    .map((name) => narrowed(below(place, name), 'is required, and was not'))
  return [
    ...changed,
    ...required,
    ...compareNames(older, newer, place),
    ...compareAdded(older, newer, place),
  ]
}

function compareNames(older: JsonSchemaObject, newer: JsonSchemaObject, place: Place): Narrowing[] {
  if (older['additionalProperties'] === undefined && newer['additionalProperties'] === false) {
    return [narrowed(place, 'other properties are not allowed any more')]
  }
  const now = newer['propertyNames']
  if (!isSchema(now)) return []
  const before = older['propertyNames']
  const isClosed = older['additionalProperties'] === false
  const names = isClosed
    ? { type: 'string', enum: Object.keys(propertiesOf(older)) }
    : { type: 'string' }
  return compare(isSchema(before) ? before : names, now, below(place, '*'))
}

/** A property that is described now, where any could stand before. */
function compareAdded(older: JsonSchemaObject, newer: JsonSchemaObject, place: Place): Narrowing[] {
  const rest = older['additionalProperties']
  if (!isSchema(rest) || rest === false) return []
  const before = propertiesOf(older)
  const added = Object.entries(propertiesOf(newer)).filter(([name]) => !(name in before))
  return [
    ...added.flatMap(([name, schema]) => compare(rest, schema, below(place, name))),
    ...compareRest(rest, newer, place),
  ]
}

/** Names that neither schema lists: of records, where any name may stand. */
function compareRest(before: JsonSchema, newer: JsonSchemaObject, place: Place): Narrowing[] {
  const now = newer['additionalProperties']
  return isSchema(now) ? compare(before, now, below(place, '*')) : []
}

function propertiesOf(schema: JsonSchemaObject): Readonly<Record<string, JsonSchema>> {
  const { properties } = schema
  if (!isObject(properties)) return {}
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, one]) => (isSchema(one) ? [[name, one]] : [])),
  )
}

function requiredOf(schema: JsonSchemaObject): readonly string[] {
  const { required } = schema
  return Array.isArray(required) ? required.filter((name) => typeof name === 'string') : []
}

function compareItems(older: JsonSchemaObject, newer: JsonSchemaObject, place: Place): Narrowing[] {
  const now = newer['items']
  if (!isSchema(now)) return []
  const before = older['items']
  const firsts = Array.isArray(older['prefixItems']) ? older['prefixItems'].filter(isSchema) : []
  const first = firsts.flatMap((one, index) =>
    compare(one, now, { ...place, at: `${place.at}[${index}]` }),
  )
  const rest = compare(isSchema(before) ? before : true, now, { ...place, at: `${place.at}[]` })
  return Array.isArray(newer['prefixItems']) ? rest : [...first, ...rest]
}

function compareLimits(
  older: JsonSchemaObject,
  newer: JsonSchemaObject,
  place: Place,
): Narrowing[] {
  const lower = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'] as const
  const upper = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'] as const
  const tightened = (word: string, isTighter: (now: number, before: number) => boolean) => {
    const now = newer[word]
    const before = older[word]
    if (typeof now !== 'number') return []
    if (typeof before === 'number' && !isTighter(now, before)) return []
    const was = typeof before === 'number' ? `was ${before}` : 'there was none'
    return [narrowed(place, `${word} is ${now}, and ${was}`)]
  }
  return [
    ...lower.flatMap((word) => tightened(word, (now, before) => now > before)),
    ...upper.flatMap((word) => tightened(word, (now, before) => now < before)),
  ]
}

function compareTexts(older: JsonSchemaObject, newer: JsonSchemaObject, place: Place): Narrowing[] {
  // A format that is new says more to people than the pattern that comes with it.
  const isNewFormat = newer['format'] !== undefined && newer['format'] !== older['format']
  return [...(isNewFormat ? [] : ['pattern']), 'format', 'multipleOf', 'uniqueItems']
    .filter((word) => newer[word] !== undefined && newer[word] !== false)
    .filter((word) => newer[word] !== older[word])
    .map((word) => {
      const was =
        older[word] === undefined ? 'there was none' : `was ${JSON.stringify(older[word])}`
      return narrowed(place, `${word} is ${JSON.stringify(newer[word])}, and ${was}`)
    })
}

function below({ at, ...place }: Place, name: string): Place {
  return { ...place, at: at === '' ? name : `${at}.${name}`, depth: place.depth + 1 }
}

function narrowed({ at }: Place, what: string): Narrowing {
  return { at, what }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || isObject(value)
}
