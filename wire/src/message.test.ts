import { deepStrictEqual, strictEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, packed } from '../test/hex.ts'
import { message } from './message.ts'
import { Reader } from './reader.ts'
import {
  array,
  between,
  ignorable,
  int16,
  int32,
  nullableSince,
  nullableString,
  since,
  string,
  tagged,
  until,
  withDefault,
} from './schema.ts'
import { joined, Writer } from './writer.ts'

const Booking = message({
  name: 'Booking',
  versions: [0, 4],
  flexibleSince: 3,
  shape: {
    seats: int16,
    name: nullableSince(2, string),
    oldName: until(1, string, 'nobody'),
    middle: between([1, 2], int32, -1),
    note: ignorable(since(1, nullableString, null)),
    price: withDefault(int32, 100),
    guests: since(2, array({ name: string, age: since(4, int16) })),
    rating: tagged({ tag: 5, since: 3 }, int16, -1),
    place: tagged({ tag: 1, since: 3 }, { row: withDefault(int32, -1), seat: int32 }),
  },
})

function encode(version: number, value: Parameters<typeof Booking.encode>[2]): string {
  const writer = new Writer()
  Booking.encode(writer, version, value)
  return Buffer.from(joined(writer.encoded())).toString('hex')
}

function decode(version: number, hex: string): ReturnType<typeof Booking.decode> {
  return Booking.decode(new Reader(fromHex(hex)), version)
}

test('decoding gives every field, those that the version lacks at their defaults', () => {
  deepStrictEqual(decode(0, '0002 0001 61 0000 00000007'), {
    seats: 2,
    name: 'a',
    oldName: '',
    middle: -1,
    note: null,
    price: 7,
    guests: [],
    rating: -1,
    place: { row: -1, seat: 0 },
  })
})

test('encoding fills in what was left out, and nothing that the version lacks', () => {
  strictEqual(encode(0, { seats: 2, name: 'a' }), packed('0002 0001 61 0006 6e6f626f6479 00000064'))
  // v3: seats, name, note, price, no guests; no tagged fields.
  strictEqual(encode(3, { seats: 2, name: 'a' }), packed('0002 0261 00 00000064 01 00'))
})

test('tagged fields go out in the order of their tags, and only when not at their default', () => {
  const rating = '05 02 0004'
  const place = '01 09 00000003 00000000 00'
  const base = '0002 0261 00 00000064 01'
  const value = { seats: 2, name: 'a' }
  strictEqual(
    encode(3, { ...value, rating: 4, place: { row: 3, seat: 0 } }),
    packed(`${base} 02 ${place} ${rating}`),
  )
  strictEqual(encode(3, { ...value, rating: -1, place: { seat: 0 } }), packed(`${base} 00`))
})

test('tagged fields are found among others that nobody here knows', () => {
  const unknown = '03 02 ffff'
  const decoded = decode(3, `0002 0261 00 00000064 01 02 ${unknown} 05 02 0004`)
  strictEqual(decoded.rating, 4)
  deepStrictEqual(decoded.place, { row: -1, seat: 0 })
})

test('a tagged field whose size is not that of its content is malformed', () => {
  throws(() => decode(3, '0002 0261 00 00000064 01 01 05 03 0004 00'), {
    code: 'malformed',
    message: 'Booking v3: tag 5 says 3 bytes and has 2',
  })
})

test('a field that the version lacks may be set when it is ignorable', () => {
  strictEqual(encode(0, { seats: 2, name: 'a', note: 'x' }), encode(0, { seats: 2, name: 'a' }))
})

test('a field that the version lacks is an error when it is set and not ignorable', () => {
  throws(() => encode(0, { seats: 2, name: 'a', guests: [{ name: 'b' }] }), {
    name: 'TypeError',
    message: 'Booking v0: guests: is set, but version 0 can not carry it',
  })
  throws(() => encode(3, { seats: 2, name: 'a', oldName: 'b' }), /oldName: is set/)
})

test('a field that the version lacks may be set to its default', () => {
  strictEqual(
    encode(0, { seats: 2, name: 'a', guests: [], rating: -1, place: { row: -1, seat: 0 } }),
    encode(0, { seats: 2, name: 'a' }),
  )
})

test('null is an error before the version that allows it', () => {
  throws(() => encode(1, { seats: 2, name: null }), {
    message: 'Booking v1: name: a string was wanted, null was given',
  })
  strictEqual(decode(2, encode(2, { seats: 2, name: null })).name, null)
})

test('an error names the field, however deep it is', () => {
  throws(() => encode(4, { seats: 2, name: 'a', guests: [{ name: 'b', age: 70_000 }] }), {
    name: 'RangeError',
    message: 'Booking v4: guests: age: 70000 is no integer from -32768 to 32767',
  })
  throws(() => decode(2, '0002 0001 61 00000000 ffff 00000000 00000001 0005 61'), {
    name: 'WireError',
    message: 'Booking v2: guests: name: 5 bytes at byte 21, but the input ends at 22',
  })
})

test('a list of structs that take no bytes is bounded all the same', () => {
  const Empty = message({
    name: 'Empty',
    versions: [0, 1],
    flexibleSince: null,
    shape: { list: array({ later: since(1, int16) }) },
  })
  throws(() => Empty.decode(new Reader(fromHex('7fffffff')), 0), { code: 'truncated' })
})

test('a version that is not declared is a WireError that says which are', () => {
  throws(() => decode(5, ''), {
    code: 'unsupported-version',
    message: 'Booking has no version 5 here (it has 0–4)',
  })
})
