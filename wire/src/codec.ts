import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** Any value that decoding can give. */
export type WireValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly WireValue[]
  | { readonly [name: string]: WireValue }

/** Any value that may be given to encode; `undefined` is a field that was left out. */
export type WireInput =
  | number
  | bigint
  | string
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly WireInput[]
  | { readonly [name: string]: WireInput }

/** One type at one version, both ways. */
export interface Codec {
  /** No value of this type takes fewer bytes; bounds what a count can make the reader allocate. */
  readonly bytesMin: number
  encode(writer: Writer, value: WireInput): void
  decode(reader: Reader): WireValue
}

/** A value of the wrong type: the program, not the peer, is wrong. */
export function mismatch(wanted: string, value: WireInput): TypeError {
  const given = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return new TypeError(`${wanted} was wanted, ${given} was given`)
}

export function isList(value: WireInput): value is readonly WireInput[] {
  return Array.isArray(value)
}

export function isStruct(value: WireInput): value is { readonly [name: string]: WireInput } {
  return (
    typeof value === 'object' && value !== null && !isList(value) && !(value instanceof Uint8Array)
  )
}
