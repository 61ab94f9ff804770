/** Values for property tests, drawn from the declarations themselves. */
import * as fc from 'fast-check'
import type { WireInput } from '../src/codec.ts'
import { defaultOf } from '../src/defaults.ts'
import type { AnyMessage } from '../src/message.ts'
import { type Field, isShape, type ScalarName, type Shape, type Type } from '../src/schema.ts'
import { apis, ConsumerAssignment, ConsumerSubscription } from '../src/wire.ts'

/** Every message that is declared, at each of its versions. */
export function* everyEdition(): Generator<{ message: AnyMessage; version: number }> {
  const messages: AnyMessage[] = apis.flatMap((api) => [api.request, api.response])
  for (const message of [...messages, ConsumerSubscription, ConsumerAssignment]) {
    const [first, last] = message.versions
    for (let version = first; version <= last; version++) yield { message, version }
  }
}

/** A struct with all its fields, those that the version lacks at their default. */
export function structOf(shape: Shape, version: number): fc.Arbitrary<WireInput> {
  const fields: Record<string, fc.Arbitrary<WireInput>> = {}
  for (const [name, spec] of Object.entries(shape)) fields[name] = fieldOf(spec, version)
  return fc.record(fields)
}

function fieldOf(spec: Type | Field, version: number): fc.Arbitrary<WireInput> {
  if (!isField(spec)) return typeOf(spec, version)
  if (version < spec.since || version > spec.until) return fc.constant(defaultOf(spec))
  const fallback = fc.constant<WireInput>(defaultOf(spec))
  return fc.oneof({ weight: 3, arbitrary: typeOf(spec.type, version) }, fallback)
}

function typeOf(type: Type, version: number): fc.Arbitrary<WireInput> {
  if (isShape(type)) return structOf(type, version)
  if (type.kind === 'scalar') return scalars[type.name]
  if (type.kind === 'array') {
    const edges = fc.integer({ min: 0, max: 3 })
    return edges.chain((maxLength) => fc.array(typeOf(type.element, version), { maxLength }))
  }
  const inner = typeOf(type.type, version)
  return version < type.since ? inner : fc.option(inner, { nil: null })
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
/** Past 63 and 127 bytes a compact length takes a second byte. */
const longText = fc.integer({ min: 120, max: 300 }).map((length) => 'ü'.repeat(length))
const bytes = fc
  .uint8Array({ maxLength: 40 })
  .map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength))

const scalars: Readonly<Record<ScalarName, fc.Arbitrary<WireInput>>> = {
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  int32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  float64: fc.double({ noNaN: true }),
  boolean: fc.boolean(),
  string: fc.oneof({ weight: 8, arbitrary: text }, longText),
  bytes,
  records: bytes,
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((array) => Buffer.from(array).toString('base64url')),
}

function isField(spec: Type | Field): spec is Field {
  return spec.kind === 'field'
}
