import type { Codec, WireInput, WireValue } from './codec.ts'
import { sameValue } from './defaults.ts'
import type { Reader } from './reader.ts'
import { WireError } from './wire-error.ts'
import { Writer } from './writer.ts'

/** A field that may be anywhere among the tagged fields at the end of a struct, or not at all. */
export interface TaggedField {
  readonly name: string
  readonly codec: Codec
  readonly fallback: WireValue
  readonly tag: number
}

/** Tagged fields that hold their default stay off the wire, as KIP-482 wants it. */
export function taggedEncoder(
  fields: readonly TaggedField[],
): (writer: Writer, struct: Readonly<Record<string, WireInput>>) => void {
  if (fields.length === 0) return (writer) => writer.unsignedVarint(0)
  return (writer, struct) => {
    const present = fields.filter(({ name, fallback }) => {
      const given = struct[name]
      return given !== undefined && !sameValue(given, fallback)
    })
    writer.unsignedVarint(present.length)
    for (const { name, codec, tag } of present) {
      const body = new Writer()
      codec.encode(body, struct[name])
      writer.unsignedVarint(tag)
      writer.unsignedVarint(body.byteLength)
      writer.append(body.encoded())
    }
  }
}

export function taggedDecoder(
  fields: readonly TaggedField[],
): (reader: Reader, struct: { [name: string]: WireValue }) => void {
  if (fields.length === 0) return (reader) => reader.skipTaggedFields()
  const byTag = new Map(fields.map((field) => [field.tag, field]))
  return (reader, struct) => {
    for (let left = reader.unsignedVarint(); left > 0; left--) {
      const field = byTag.get(reader.unsignedVarint())
      const size = reader.unsignedVarint()
      if (field === undefined) {
        reader.skip(size)
        continue
      }
      const end = reader.position + size
      struct[field.name] = field.codec.decode(reader)
      if (reader.position === end) continue
      const taken = size + reader.position - end
      throw new WireError('malformed', `tag ${field.tag} says ${size} bytes and has ${taken}`)
    }
  }
}
