import { isList, isStruct, type WireInput, type WireValue } from './codec.ts'
import { type Field, isShape, type Type } from './schema.ts'

/** What decoding gives for a field that the bytes do not carry. */
export function defaultOf(spec: Type | Field): WireValue {
  if (isShape(spec)) {
    const struct: { [name: string]: WireValue } = {}
    for (const [name, inner] of Object.entries(spec)) struct[name] = defaultOf(inner)
    return Object.freeze(struct)
  }
  if (spec.kind === 'scalar') return spec.zero
  if (spec.kind === 'array') return noElements
  if (spec.kind === 'nullable') return defaultOf(spec.type)
  return spec.fallback.kind === 'zero' ? defaultOf(spec.type) : spec.fallback.value
}

const noElements: readonly WireValue[] = Object.freeze([])

/** Whether a value that was given is the default: compared by content, whatever it is made of. */
export function sameValue(given: WireInput, fallback: WireValue): boolean {
  if (given === fallback) return true
  if (given instanceof Uint8Array && fallback instanceof Uint8Array) {
    return Buffer.compare(given, fallback) === 0
  }
  if (isList(given)) return isList(fallback) && given.length === 0 && fallback.length === 0
  if (!isStruct(given) || !isStruct(fallback)) return false
  return Object.entries(fallback).every(([name, inner]) => {
    const value = given[name]
    return value === undefined || sameValue(value, inner)
  })
}
