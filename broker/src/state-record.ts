// How the broker's own state is written into journals: Kafka's way, a type and a version, each an
// int16, and after them a message that is declared in the language of `wire`.

import {
  type InputOf,
  joined,
  type Message,
  message,
  Reader,
  type Shape,
  type VersionRange,
  Writer,
} from '@millrace/wire'

/** One type of record in one journal. Its number is never used again for another. */
export interface StateRecord<S extends Shape> {
  readonly type: number
  readonly message: Message<S>
}

export interface StateRecordDeclaration<S extends Shape> {
  readonly type: number
  readonly name: string
  /** The last one is written, all of them are read. */
  readonly versions: VersionRange
  readonly shape: S
}

export function stateRecord<S extends Shape>(
  declaration: StateRecordDeclaration<S>,
): StateRecord<S> {
  const { type, name, versions, shape } = declaration
  return { type, message: message({ name, versions, flexibleSince: 0, shape }) }
}

export function encodeStateRecord<S extends Shape>(
  { type, message }: StateRecord<S>,
  value: InputOf<S>,
): Uint8Array {
  const writer = new Writer()
  const [, version] = message.versions
  writer.int16(type)
  writer.int16(version)
  message.encode(writer, version, value)
  return joined(writer.encoded())
}

/** A record whose type is known; `reader` stands at its body. */
export interface OpenedRecord {
  readonly type: number
  readonly version: number
  readonly reader: Reader
}

export function openStateRecord(bytes: Uint8Array): OpenedRecord {
  const reader = new Reader(bytes)
  return { type: reader.int16(), version: reader.int16(), reader }
}
