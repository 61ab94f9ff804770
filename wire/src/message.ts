import type { Codec, WireInput, WireValue } from './codec.ts'
import { compileShape } from './compile.ts'
import type { Reader } from './reader.ts'
import type { InputOf, Shape, ValueOf } from './schema.ts'
import { under, WireError } from './wire-error.ts'
import type { Writer } from './writer.ts'

/** The first and the last version that are declared. */
export type VersionRange = readonly [first: number, last: number]

/** One direction of an API, or a record that is kept in Kafka's schema language. */
export interface Message<S extends Shape> {
  readonly name: string
  readonly versions: VersionRange
  /** The first flexible version (KIP-482), `null` when there is none. */
  readonly flexibleSince: number | null
  readonly shape: S
  /**
   * Throws a `TypeError` or `RangeError` that names the field, when the program gives a value that
   * the version can not carry; a `WireError` `unsupported-version` when it is not declared.
   */
  encode(writer: Writer, version: number, value: InputOf<S>): void
  /** Throws a `WireError` for bytes that are not this message at this version. */
  decode(reader: Reader, version: number): ValueOf<S>
}

export type MessageDeclaration<S extends Shape> = Pick<
  Message<S>,
  'name' | 'versions' | 'flexibleSince' | 'shape'
>

/** A message whose fields are not known where it is used; every `Message` is one. */
export interface AnyMessage extends MessageDeclaration<Shape> {
  encode(writer: Writer, version: number, value: WireInput): void
  decode(reader: Reader, version: number): WireValue
}

/** Declares a message; each version is compiled at its first use, and kept. */
export function message<S extends Shape>(declaration: MessageDeclaration<S>): Message<S>
// The value is built from the very shape from which `InputOf` and `ValueOf` are inferred: this is
// the one place where the interpreter's values meet the inferred types.
export function message(declaration: MessageDeclaration<Shape>): AnyMessage {
  const codecs: (Codec | undefined)[] = []

  function codecOf(version: number): Codec {
    const known = codecs[version]
    if (known !== undefined) return known
    const compiled = compileShape(declaration.shape, editionOf(declaration, version))
    codecs[version] = compiled
    return compiled
  }

  return {
    ...declaration,
    encode(writer, version, value) {
      const codec = codecOf(version)
      try {
        codec.encode(writer, value)
      } catch (cause) {
        throw under(`${declaration.name} v${version}`, cause)
      }
    },
    decode(reader, version) {
      const codec = codecOf(version)
      try {
        return codec.decode(reader)
      } catch (cause) {
        throw under(`${declaration.name} v${version}`, cause)
      }
    },
  }
}

/** Whether that version is declared. */
export function supports(versions: VersionRange, version: number): boolean {
  return Number.isInteger(version) && version >= versions[0] && version <= versions[1]
}

/** Whether that version uses compact lengths and tagged fields. */
export function isFlexible(flexibleSince: number | null, version: number): boolean {
  return flexibleSince !== null && version >= flexibleSince
}

function editionOf(
  { name, versions, flexibleSince }: MessageDeclaration<Shape>,
  version: number,
): { version: number; flexible: boolean } {
  if (supports(versions, version)) return { version, flexible: isFlexible(flexibleSince, version) }
  const text = `${name} has no version ${version} here (it has ${versions[0]}–${versions[1]})`
  throw new WireError('unsupported-version', text)
}
