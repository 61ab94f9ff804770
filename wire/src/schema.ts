/**
 * The words with which a message is declared. A message is a plain object whose keys are Kafka's
 * field names and whose values say the type and, where they matter, the versions:
 *
 *     { groupId: string, groupInstanceId: since(3, nullableString, null) }
 *
 * Both directions of the codec, the TypeScript types and the comparison with Kafka's own
 * definitions follow from that object; nothing else describes a message.
 */

export type ScalarName =
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uint16'
  | 'uint32'
  | 'float64'
  | 'boolean'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid'

/** One of Kafka's primitive types. `zero` is what a message too old for the field decodes to. */
export interface Scalar<Name extends ScalarName = ScalarName, Value = ScalarValue> {
  readonly kind: 'scalar'
  readonly name: Name
  readonly zero: Value
}

export interface List<Element extends Type = Type> {
  readonly kind: 'array'
  readonly element: Element
}

/** `null` is a value from version `since` on; before, encoding it is an error. */
export interface Nullable<Inner extends Scalar | List = Scalar | List> {
  readonly kind: 'nullable'
  readonly type: Inner
  readonly since: number
}

/** A struct: its fields in the order of the bytes. */
export interface Shape {
  readonly [name: string]: Type | Field
}

export type Type = Scalar | List | Nullable | Shape

/** A type with what a message's versions make of it; every such field may be left out on encode. */
export interface Field<Inner extends Type = Type> {
  readonly kind: 'field'
  readonly type: Inner
  readonly since: number
  readonly until: number
  /** The value where the message is too old or too new to carry the field. */
  readonly fallback: Fallback
  /** At a version without the field a value that was set is dropped; otherwise it is an error. */
  readonly ignorable: boolean
  /** The number of a tagged field (KIP-482), `null` for one that is always in its place. */
  readonly tag: number | null
}

/** A plain value, or `zero`: the type's own (0, '', false, no bytes, no elements). */
type Fallback = { readonly kind: 'zero' } | { readonly kind: 'value'; readonly value: ScalarValue }

type ScalarValue = number | bigint | string | boolean | Uint8Array | null

/** The value that decoding gives: every field is there, whatever the version. */
export type ValueOf<T> =
  T extends Field<infer Inner>
    ? ValueOf<Inner>
    : T extends Nullable<infer Inner>
      ? ValueOf<Inner> | null
      : T extends List<infer Element>
        ? readonly ValueOf<Element>[]
        : T extends Scalar<ScalarName, infer Value>
          ? Value
          : { readonly [Name in keyof T]: ValueOf<T[Name]> }

/** The value that encoding takes: fields with bounds or defaults may be left out. */
export type InputOf<T> =
  T extends Field<infer Inner>
    ? InputOf<Inner>
    : T extends Nullable<infer Inner>
      ? InputOf<Inner> | null
      : T extends List<infer Element>
        ? readonly InputOf<Element>[]
        : T extends Scalar<'records', infer Value>
          ? Value | readonly Uint8Array[]
          : T extends Scalar<ScalarName, infer Value>
            ? Value
            : StructInput<T>

type StructInput<T> = {
  readonly [Name in RequiredName<T>]: InputOf<T[Name]>
} & {
  readonly [Name in Exclude<keyof T, RequiredName<T>>]?: InputOf<T[Name]> | undefined
}

type RequiredName<T> = {
  [Name in keyof T]: T[Name] extends Field ? never : Name
}[keyof T]

const noBytes: Uint8Array = new Uint8Array(0)

export const int8: Scalar<'int8', number> = { kind: 'scalar', name: 'int8', zero: 0 }
export const int16: Scalar<'int16', number> = { kind: 'scalar', name: 'int16', zero: 0 }
export const int32: Scalar<'int32', number> = { kind: 'scalar', name: 'int32', zero: 0 }
export const int64: Scalar<'int64', bigint> = { kind: 'scalar', name: 'int64', zero: 0n }
export const uint16: Scalar<'uint16', number> = { kind: 'scalar', name: 'uint16', zero: 0 }
export const uint32: Scalar<'uint32', number> = { kind: 'scalar', name: 'uint32', zero: 0 }
export const float64: Scalar<'float64', number> = { kind: 'scalar', name: 'float64', zero: 0 }
export const boolean: Scalar<'boolean', boolean> = { kind: 'scalar', name: 'boolean', zero: false }
export const string: Scalar<'string', string> = { kind: 'scalar', name: 'string', zero: '' }
export const bytes: Scalar<'bytes', Uint8Array> = { kind: 'scalar', name: 'bytes', zero: noBytes }

/** Record batches: decoded as a view of the input, encoded without a copy, one piece or several. */
export const records: Scalar<'records', Uint8Array> = {
  kind: 'scalar',
  name: 'records',
  zero: noBytes,
}

/** Kafka's text for sixteen zero bytes, which stand for "no id". */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'

/** Sixteen bytes as Kafka writes them: base64url, 22 characters. */
export const uuid: Scalar<'uuid', string> = { kind: 'scalar', name: 'uuid', zero: zeroUuid }

export function array<Element extends Type>(element: Element): List<Element> {
  return { kind: 'array', element }
}

export function nullable<Inner extends Scalar | List>(type: Inner): Nullable<Inner> {
  return { kind: 'nullable', type, since: 0 }
}

export function nullableSince<Inner extends Scalar | List>(
  version: number,
  type: Inner,
): Nullable<Inner> {
  return { kind: 'nullable', type, since: version }
}

export const nullableString = nullable(string)
export const nullableBytes = nullable(bytes)

export function nullableArray<Element extends Type>(element: Element): Nullable<List<Element>> {
  return nullable(array(element))
}

/** The plain values that a field's default may be: lists and structs default to their zero. */
export type FallbackOf<T extends Type> = Extract<ValueOf<T>, ScalarValue>

/** The field came with that version. */
export function since<Inner extends Type>(
  version: number,
  type: Inner,
  ...fallback: [FallbackOf<Inner>?]
): Field<Inner> {
  return { ...plainField(type, fallback), since: version }
}

/** The field went after that version. */
export function until<Inner extends Type>(
  version: number,
  type: Inner,
  ...fallback: [FallbackOf<Inner>?]
): Field<Inner> {
  return { ...plainField(type, fallback), until: version }
}

/** The field came with the first version and went after the last. */
export function between<Inner extends Type>(
  versions: readonly [first: number, last: number],
  type: Inner,
  ...fallback: [FallbackOf<Inner>?]
): Field<Inner> {
  return { ...plainField(type, fallback), since: versions[0], until: versions[1] }
}

/** The field is in every version; who encodes may leave it out. */
export function withDefault<Inner extends Type>(
  type: Inner,
  fallback: FallbackOf<Inner>,
): Field<Inner> {
  return plainField(type, [fallback])
}

/** A tagged field (KIP-482): on the wire only where its value is not the default. */
export function tagged<Inner extends Type>(
  place: { readonly tag: number; readonly since: number },
  type: Inner,
  ...fallback: [FallbackOf<Inner>?]
): Field<Inner> {
  return { ...plainField(type, fallback), since: place.since, tag: place.tag }
}

/** A value set for a version without the field is dropped in silence, because nobody misses it. */
export function ignorable<Inner extends Type>(field: Field<Inner>): Field<Inner> {
  return { ...field, ignorable: true }
}

/** A struct is a plain object of fields; all other words carry their kind as a string. */
export function isShape(type: Type | Field): type is Shape {
  return typeof type.kind !== 'string'
}

function plainField<Inner extends Type>(
  type: Inner,
  fallback: readonly (ScalarValue | undefined)[],
): Field<Inner> {
  const value = fallback[0]
  return {
    kind: 'field',
    type,
    since: 0,
    until: Number.POSITIVE_INFINITY,
    fallback: value === undefined ? { kind: 'zero' } : { kind: 'value', value },
    ignorable: false,
    tag: null,
  }
}
