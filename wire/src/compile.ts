import { type Codec, isList, isStruct, mismatch, type WireInput, type WireValue } from './codec.ts'
import { defaultOf, sameValue } from './defaults.ts'
import type { Reader } from './reader.ts'
import { nullableScalarCodec, scalarCodec } from './scalars.ts'
import { type Field, isShape, type List, type Shape, type Type } from './schema.ts'
import { type TaggedField, taggedDecoder, taggedEncoder } from './tagged.ts'
import { under, WireError } from './wire-error.ts'
import type { Writer } from './writer.ts'

/** The version for which a shape is compiled, and whether it is a flexible one (KIP-482). */
export interface Edition {
  readonly version: number
  readonly flexible: boolean
}

/**
 * Turns a shape into closures that write and read it at one version. What the version decides is
 * decided here, once; what is left for each message is a walk over the fields that it carries.
 */
export function compileShape(shape: Shape, edition: Edition): Codec {
  const plan = planOf(shape, edition)
  const encodeTagged = edition.flexible ? taggedEncoder(plan.tagged) : null
  const decodeTagged = edition.flexible ? taggedDecoder(plan.tagged) : null
  let bytesMin = edition.flexible ? 1 : 0
  for (const { codec } of plan.inPlace) bytesMin += codec.bytesMin

  return {
    bytesMin,
    encode(writer, value) {
      const struct = expectStruct(value)
      for (const field of plan.inPlace) encodeField(field, writer, struct[field.name])
      for (const { name, fallback } of plan.refused) {
        const given = struct[name]
        if (given === undefined || sameValue(given, fallback)) continue
        throw new TypeError(`${name}: is set, but version ${edition.version} can not carry it`)
      }
      encodeTagged?.(writer, struct)
    },
    decode(reader) {
      // A copy of the defaults has all keys at once, which keeps one hidden class for all.
      const struct = { ...plan.defaults }
      for (const field of plan.inPlace) struct[field.name] = decodeField(field, reader)
      decodeTagged?.(reader, struct)
      return struct
    },
  }
}

interface Placed {
  readonly name: string
  readonly codec: Codec
  /** `undefined` where the caller must give a value. */
  readonly fallback: WireValue | undefined
}

interface Plan {
  readonly inPlace: readonly Placed[]
  /** In the order of their tags, in which they go on the wire. */
  readonly tagged: readonly TaggedField[]
  /** Fields that this version lacks, and that nobody may set at it. */
  readonly refused: readonly { readonly name: string; readonly fallback: WireValue }[]
  readonly defaults: { [name: string]: WireValue }
}

function encodeField({ name, codec, fallback }: Placed, writer: Writer, given: WireInput): void {
  const value = given === undefined ? fallback : given
  try {
    codec.encode(writer, value)
  } catch (cause) {
    throw under(name, cause)
  }
}

function decodeField({ name, codec }: Placed, reader: Reader): WireValue {
  try {
    return codec.decode(reader)
  } catch (cause) {
    throw under(name, cause)
  }
}

function planOf(shape: Shape, edition: Edition): Plan {
  const inPlace: Placed[] = []
  const tagged: TaggedField[] = []
  const refused: { name: string; fallback: WireValue }[] = []
  const defaults: { [name: string]: WireValue } = {}
  for (const [name, spec] of Object.entries(shape)) {
    const fallback = defaultOf(spec)
    defaults[name] = fallback
    if (!isField(spec)) {
      inPlace.push({ name, codec: compileType(spec, edition), fallback: undefined })
    } else if (edition.version < spec.since || edition.version > spec.until) {
      if (!spec.ignorable) refused.push({ name, fallback })
    } else {
      const codec = compileType(spec.type, edition)
      if (spec.tag === null) inPlace.push({ name, codec, fallback })
      else tagged.push({ name, codec, fallback, tag: spec.tag })
    }
  }
  tagged.sort((left, right) => left.tag - right.tag)
  return { inPlace, tagged, refused, defaults }
}

function compileType(type: Type, edition: Edition): Codec {
  if (isShape(type)) return compileShape(type, edition)
  if (type.kind === 'scalar') return scalarCodec(type.name, edition.flexible)
  if (type.kind === 'array') return listCodec(type, edition, false)
  if (edition.version < type.since) return compileType(type.type, edition)
  return type.type.kind === 'array'
    ? listCodec(type.type, edition, true)
    : nullableScalarCodec(type.type.name, edition.flexible)
}

function listCodec(type: List, edition: Edition, nullable: boolean): Codec {
  const element = compileType(type.element, edition)
  // A struct without fields takes no bytes: a count of them would be bounded by nothing.
  const elementBytesMin = Math.max(1, element.bytesMin)
  const { flexible } = edition
  return {
    bytesMin: flexible ? 1 : 4,
    encode(writer, value) {
      if (value === null && nullable) return writeCount(writer, -1, flexible)
      if (!isList(value)) throw mismatch('an array', value)
      writeCount(writer, value.length, flexible)
      for (const item of value) element.encode(writer, item)
    },
    decode(reader) {
      const count = flexible ? reader.compactCount(elementBytesMin) : reader.count(elementBytesMin)
      if (count === -1) {
        if (nullable) return null
        throw new WireError('malformed', `a list that ends at byte ${reader.position} is null`)
      }
      const list: WireValue[] = []
      for (let index = 0; index < count; index++) list.push(element.decode(reader))
      return list
    },
  }
}

function writeCount(writer: Writer, count: number, flexible: boolean): void {
  if (flexible) writer.unsignedVarint(count + 1)
  else writer.int32(count)
}

function isField(spec: Type | Field): spec is Field {
  return spec.kind === 'field'
}

function expectStruct(value: WireInput): { readonly [name: string]: WireInput } {
  if (isStruct(value)) return value
  throw mismatch('a struct', value)
}
