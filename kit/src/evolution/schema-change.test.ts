import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { z } from 'zod'
import { jsonSchemaOf } from './json-schema.ts'
import { sampleValues } from './sample-values.ts'
import { narrowings } from './schema-change.ts'

function said(schema: z.ZodType) {
  const converted = jsonSchemaOf(schema, 'output')
  assert.ok(converted !== null)
  return converted
}

function accepted(schema: z.ZodType) {
  const converted = jsonSchemaOf(schema, 'input')
  assert.ok(converted !== null)
  return converted
}

const changes = (older: z.ZodType, newer: z.ZodType) =>
  narrowings(said(older), accepted(newer), 'payload').map(({ at, what }) => `${at}: ${what}`)

describe('a change that takes everything that was valid', () => {
  const user = z.object({ name: z.string() })
  const wider: readonly (readonly [string, z.ZodType, z.ZodType])[] = [
    ['the same', user, z.object({ name: z.string() })],
    ['a new optional property', user, z.object({ name: z.string(), age: z.int().optional() })],
    [
      'a new property with a default',
      user,
      z.object({ name: z.string(), plan: z.string().default('free') }),
    ],
    ['a property that is optional now', user, z.object({ name: z.string().optional() })],
    ['a property that may be null now', user, z.object({ name: z.string().nullable() })],
    ['a property that is not read any more', z.object({ name: z.string(), age: z.int() }), user],
    ['a number that was an integer', z.object({ n: z.int() }), z.object({ n: z.number() })],
    ['one more value', z.enum(['a', 'b']), z.enum(['a', 'b', 'c'])],
    ['a text that was one of few', z.enum(['a', 'b']), z.string()],
    [
      'another alternative',
      z.union([z.string(), z.boolean()]),
      z.union([z.int(), z.string(), z.boolean()]),
    ],
    ['a wider limit', z.string().min(3).max(5), z.string().min(2).max(6)],
    ['wider items', z.array(z.enum(['a'])), z.array(z.string())],
    ['anything', user, z.unknown()],
    ['a record of wider values', z.record(z.string(), z.int()), z.record(z.string(), z.number())],
  ]
  for (const [what, older, newer] of wider) {
    test(what, () => assert.deepEqual(changes(older, newer), []))
  }
})

describe('a change that takes less is told, with the place', () => {
  const user = z.object({ name: z.string() })
  const narrower: readonly (readonly [string, z.ZodType, z.ZodType, RegExp])[] = [
    [
      'a required property',
      user,
      z.object({ name: z.string(), age: z.int() }),
      /^payload\.age: is required/,
    ],
    [
      'another type',
      user,
      z.object({ name: z.int() }),
      /^payload\.name: it must be of type integer/,
    ],
    [
      'an integer that was a number',
      z.object({ n: z.number() }),
      z.object({ n: z.int() }),
      /^payload\.n: /,
    ],
    [
      'null no more',
      z.object({ n: z.string().nullable() }),
      z.object({ n: z.string() }),
      /^payload\.n: /,
    ],
    ['one value less', z.enum(['a', 'b']), z.enum(['a']), /"b" is valid no more, only "a"/],
    ['one of few', z.string(), z.enum(['a']), /only "a" is valid/],
    ['a tighter limit', z.string().max(5), z.string().max(4), /maxLength is 4, and was 5/],
    [
      'a limit where there was none',
      z.array(z.string()),
      z.array(z.string()).min(1),
      /minItems is 1/,
    ],
    [
      'a format',
      user,
      z.object({ name: z.email() }),
      /^payload\.name: format is "email", and there was none$/,
    ],
    [
      'a strict object',
      z.object({ a: z.int(), b: z.int() }),
      z.strictObject({ a: z.int() }),
      /^payload\.b: is not allowed/,
    ],
    ['narrower items', z.array(z.string()), z.array(z.int()), /^payload\[\]: /],
    [
      'deep inside',
      z.object({ a: z.object({ b: z.string() }) }),
      z.object({ a: z.object({ b: z.int() }) }),
      /^payload\.a\.b: /,
    ],
    ['something where anything was', z.unknown(), user, /of type object, and was anything/],
    [
      'in what is referred to, where the words that refer to it are the same',
      z.object({ list: z.array(treeOf('name')) }),
      z.object({ list: z.array(treeOf('title')) }),
      /^payload\.list\[\]\.title: is required/,
    ],
    [
      'in the first of a row that has a rest',
      z.tuple([z.int()], z.string()),
      z.array(z.string()),
      /^payload\[0\]: it must be of type string/,
    ],
    [
      'names of a record',
      z.record(z.string(), z.int()),
      z.partialRecord(z.enum(['a', 'b']), z.int()),
      /^payload\.\*: .*only "a", "b" are valid/,
    ],
    [
      'a property that is no name of the record',
      z.object({ c: z.int() }),
      z.partialRecord(z.enum(['a', 'b']), z.int()),
      /^payload\.\*: "c" is valid no more, only "a", "b"/,
    ],
    [
      'a value of another type among few',
      z.literal(['a', 1]),
      z.string(),
      /of type string, and was of type integer/,
    ],
    ['null among few', z.literal(['a', null]), z.string(), /of type string, and was of type null/],
    [
      'a property that could be anything',
      z.looseObject({}),
      z.looseObject({ n: z.int().optional() }),
      /^payload\.n: .*was anything/,
    ],
  ]
  for (const [what, older, newer, told] of narrower) {
    test(what, () => assert.match(changes(older, newer).join('\n'), told))
  }
})

function treeOf(name: string): z.ZodType {
  const tree: z.ZodType = z.lazy(() => z.object({ [name]: z.string(), children: z.array(tree) }))
  return tree
}

test('what stands beside alternatives counts, too', () => {
  const older = { type: 'object', properties: {}, additionalProperties: false }
  const newer = { type: 'object', required: ['a'], anyOf: [{ type: 'object' }, { type: 'null' }] }
  assert.match(narrowings(older, newer, '')[0]?.what ?? '', /beside "anyOf" cannot be compared/)
})

test('a strict object where nothing was said of other properties is told', () => {
  const older = { type: 'object', properties: {} }
  const newer = { type: 'object', properties: {}, additionalProperties: false }
  assert.match(narrowings(older, newer, '')[0]?.what ?? '', /other properties/)
})

test('alternatives that refer to themselves are compared before the day is over', () => {
  const jsonOf = (leaves: readonly z.ZodType[]) => {
    const json: z.ZodType = z.lazy(() =>
      z.union([...leaves, z.array(json), z.record(z.string(), json), z.object({ json })]),
    )
    return json
  }
  const narrow = jsonOf([z.string()])
  const wide = jsonOf([z.string(), z.number()])
  assert.deepEqual(changes(narrow, wide), [])
  assert.notDeepEqual(changes(wide, narrow), [])
})

const leaf = fc.constantFrom<z.ZodType>(
  z.string(),
  z.string().min(2),
  z.int(),
  z.number(),
  z.boolean(),
  z.enum(['a', 'b']),
  z.enum(['a']),
  z.literal(['a', 1]),
  z.record(z.string(), z.int()),
  z.partialRecord(z.enum(['a', 'b']), z.int()),
  z.null(),
  z.email(),
)
const schemas = fc.letrec<{ schema: z.ZodType; object: z.ZodType; any: z.ZodType }>((tie) => ({
  any: fc.oneof({ maxDepth: 3 }, leaf, tie('object'), tie('schema')),
  schema: fc.oneof(
    tie('any').map((one) => z.array(one)),
    fc.tuple(tie('any'), tie('any')).map(([one, other]) => z.union([one, other])),
    tie('any').map((one) => one.nullable()),
  ),
  object: fc
    .dictionary(fc.constantFrom('a', 'b', 'c'), fc.tuple(tie('any'), fc.boolean()), { maxKeys: 3 })
    .map((shape) =>
      z.object(
        Object.fromEntries(
          Object.entries(shape).map(([name, [one, isOptional]]) => [
            name,
            isOptional ? one.optional() : one,
          ]),
        ),
      ),
    ),
}))

test('where no narrowing is told, what the older schema allows is valid by the newer', () => {
  let compared = 0
  fc.assert(
    fc.property(schemas.any, schemas.any, (older, newer) => {
      if (changes(older, newer).length > 0) return
      for (const sample of sampleValues(said(older)) ?? []) {
        compared += 1
        assert.ok(newer.safeParse(sample).success, JSON.stringify(sample))
      }
    }),
    { numRuns: 2_000 },
  )
  assert.ok(compared > 100)
})

test('a schema is no narrower than itself, whatever it is', () => {
  fc.assert(fc.property(schemas.any, (schema) => assert.deepEqual(changes(schema, schema), [])))
})

test('every sample of a schema is valid by it', () => {
  fc.assert(
    fc.property(schemas.any, (schema) => {
      for (const sample of sampleValues(said(schema)) ?? []) {
        assert.ok(schema.safeParse(sample).success, JSON.stringify(sample))
      }
    }),
  )
})

test('a schema that refers to itself is compared, and is not sampled for ever', () => {
  const tree = z.object({
    name: z.string(),
    get children() {
      return z.array(tree)
    },
  })
  const renamed = z.object({
    title: z.string(),
    get children() {
      return z.array(renamed)
    },
  })
  assert.deepEqual(changes(tree, tree), [])
  assert.match(changes(tree, renamed).join('\n'), /payload\.title: is required/)
  for (const sample of sampleValues(said(tree)) ?? []) assert.ok(tree.safeParse(sample).success)
})
