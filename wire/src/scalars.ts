import { type Codec, mismatch, type WireInput, type WireValue } from './codec.ts'
import type { Reader } from './reader.ts'
import type { ScalarName } from './schema.ts'
import type { Writer } from './writer.ts'

/** How a primitive type is read and written; in flexible versions lengths are varints (KIP-482). */
export function scalarCodec(name: ScalarName, flexible: boolean): Codec {
  return (flexible ? compactCodecs[name] : undefined) ?? plainCodecs[name]
}

/** As `scalarCodec`, where null is a value too: only what has a length before it can be null. */
export function nullableScalarCodec(name: ScalarName, flexible: boolean): Codec {
  const codec = (flexible ? nullableCompactCodecs : nullableCodecs)[name]
  if (codec === undefined) throw new TypeError(`${name} can not be null in Kafka's protocol`)
  return codec
}

function number(
  bytesMin: number,
  write: (writer: Writer, value: number) => void,
  read: (reader: Reader) => number,
): Codec {
  return {
    bytesMin,
    encode: (writer, value) => write(writer, expectNumber(value)),
    decode: read,
  }
}

const plainCodecs: Readonly<Record<ScalarName, Codec>> = {
  int8: number(
    1,
    (writer, value) => writer.int8(value),
    (reader) => reader.int8(),
  ),
  int16: number(
    2,
    (writer, value) => writer.int16(value),
    (reader) => reader.int16(),
  ),
  int32: number(
    4,
    (writer, value) => writer.int32(value),
    (reader) => reader.int32(),
  ),
  uint16: number(
    2,
    (writer, value) => writer.uint16(value),
    (reader) => reader.uint16(),
  ),
  uint32: number(
    4,
    (writer, value) => writer.uint32(value),
    (reader) => reader.uint32(),
  ),
  float64: number(
    8,
    (writer, value) => writer.float64(value),
    (reader) => reader.float64(),
  ),
  int64: {
    bytesMin: 8,
    encode: (writer, value) => writer.int64(expectBigint(value)),
    decode: (reader) => reader.int64(),
  },
  boolean: {
    bytesMin: 1,
    encode: (writer, value) => writer.boolean(expectBoolean(value)),
    decode: (reader) => reader.boolean(),
  },
  uuid: {
    bytesMin: 16,
    encode: (writer, value) => writer.uuid(expectString(value)),
    decode: (reader) => reader.uuid(),
  },
  string: {
    bytesMin: 2,
    encode: (writer, value) => writer.string(expectString(value)),
    decode: (reader) => reader.string(),
  },
  bytes: {
    bytesMin: 4,
    encode: (writer, value) => writer.bytes(expectBytes(value)),
    decode: (reader) => reader.bytes(),
  },
  records: {
    bytesMin: 4,
    encode: (writer, value) => writeRecords(writer, value, false),
    decode: (reader) => reader.bytes(),
  },
}

const compactCodecs: Readonly<Partial<Record<ScalarName, Codec>>> = {
  string: {
    bytesMin: 1,
    encode: (writer, value) => writer.compactString(expectString(value)),
    decode: (reader) => reader.compactString(),
  },
  bytes: {
    bytesMin: 1,
    encode: (writer, value) => writer.compactBytes(expectBytes(value)),
    decode: (reader) => reader.compactBytes(),
  },
  records: {
    bytesMin: 1,
    encode: (writer, value) => writeRecords(writer, value, true),
    decode: (reader) => reader.compactBytes(),
  },
}

const nullableCodecs: Readonly<Partial<Record<ScalarName, Codec>>> = {
  string: orNull(plainCodecs.string, {
    writeNull: (writer) => writer.int16(-1),
    read: (reader) => reader.nullableString(),
  }),
  bytes: orNull(plainCodecs.bytes, {
    writeNull: (writer) => writer.int32(-1),
    read: (reader) => reader.nullableBytes(),
  }),
  records: orNull(plainCodecs.records, {
    writeNull: (writer) => writer.int32(-1),
    read: (reader) => reader.nullableBytes(),
  }),
}

const nullableCompactCodecs: Readonly<Partial<Record<ScalarName, Codec>>> = {
  string: orNull(scalarCodec('string', true), {
    writeNull: (writer) => writer.unsignedVarint(0),
    read: (reader) => reader.compactNullableString(),
  }),
  bytes: orNull(scalarCodec('bytes', true), {
    writeNull: (writer) => writer.unsignedVarint(0),
    read: (reader) => reader.compactNullableBytes(),
  }),
  records: orNull(scalarCodec('records', true), {
    writeNull: (writer) => writer.unsignedVarint(0),
    read: (reader) => reader.compactNullableBytes(),
  }),
}

function orNull(
  codec: Codec,
  forms: { writeNull: (writer: Writer) => void; read: (reader: Reader) => WireValue },
): Codec {
  return {
    bytesMin: codec.bytesMin,
    encode: (writer, value) => {
      if (value === null) forms.writeNull(writer)
      else codec.encode(writer, value)
    },
    decode: forms.read,
  }
}

function writeRecords(writer: Writer, value: WireInput, compact: boolean): void {
  const pieces = Array.isArray(value) ? value.map(expectBytes) : [expectBytes(value)]
  let byteLength = 0
  for (const piece of pieces) byteLength += piece.byteLength
  if (compact) writer.unsignedVarint(byteLength + 1)
  else writer.int32(byteLength)
  for (const piece of pieces) writer.raw(piece)
}

function expectNumber(value: WireInput): number {
  if (typeof value === 'number') return value
  throw mismatch('a number', value)
}

function expectBigint(value: WireInput): bigint {
  if (typeof value === 'bigint') return value
  throw mismatch('a bigint', value)
}

function expectBoolean(value: WireInput): boolean {
  if (typeof value === 'boolean') return value
  throw mismatch('a boolean', value)
}

function expectString(value: WireInput): string {
  if (typeof value === 'string') return value
  throw mismatch('a string', value)
}

function expectBytes(value: WireInput): Uint8Array {
  if (value instanceof Uint8Array) return value
  throw mismatch('bytes', value)
}
