import { deepStrictEqual, strictEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fromHex } from '../test/hex.ts'
import { Reader } from './reader.ts'
import { joined, Writer } from './writer.ts'

function reading(hex: string): Reader {
  return new Reader(fromHex(hex))
}

function written(write: (writer: Writer) => void): Reader {
  const writer = new Writer()
  write(writer)
  return new Reader(joined(writer.encoded()))
}

const unsignedVarints: [hex: string, value: number][] = [
  ['00', 0],
  ['7f', 127],
  ['80 01', 128],
  ['ff 7f', 16_383],
  ['ff ff ff ff 0f', 0xffff_ffff],
]
for (const [hex, value] of unsignedVarints) {
  test(`the varint ${hex} is ${value}`, () => {
    strictEqual(reading(hex).unsignedVarint(), value)
  })
}

test('signed varints are zig-zag: small numbers of either sign are short', () => {
  for (const [hex, value] of [
    ['00', 0],
    ['01', -1],
    ['02', 1],
    ['ff ff ff ff 0f', -0x8000_0000],
  ] as const) {
    strictEqual(reading(hex).varint(), value)
  }
})

test('every signed number comes back from its varint', () => {
  fc.assert(
    fc.property(fc.integer(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (int, long) => {
      const reader = written((writer) => {
        writer.varint(int)
        writer.varlong(long)
      })
      strictEqual(reader.varint(), int)
      strictEqual(reader.varlong(), long)
      strictEqual(reader.remaining, 0)
    }),
  )
})

const overlong: [name: string, read: (reader: Reader) => unknown, hex: string][] = [
  ['a varint of six bytes', (reader) => reader.unsignedVarint(), '80 80 80 80 80 01'],
  ['a varint of 33 bits', (reader) => reader.unsignedVarint(), 'ff ff ff ff 1f'],
  ['a varlong of 65 bits', (reader) => reader.varlong(), 'ff ff ff ff ff ff ff ff ff 02'],
  ['a string of length -1', (reader) => reader.string(), 'ff ff'],
  ['a string of length -2', (reader) => reader.nullableString(), 'ff fe'],
  ['bytes of length -2', (reader) => reader.nullableBytes(), 'ff ff ff fe'],
  ['a compact string that is null', (reader) => reader.compactString(), '00'],
  ['a list of -2 elements', (reader) => reader.count(1), 'ff ff ff fe'],
]
for (const [name, read, hex] of overlong) {
  test(`${name} is malformed`, () => {
    throws(() => read(reading(hex)), { name: 'WireError', code: 'malformed' })
  })
}

// R3
test('a count is refused when the bytes that remain can not hold that many elements', () => {
  throws(() => reading('7f ff ff ff 00 00').count(1), { code: 'truncated' })
  throws(() => reading('00 00 00 02 00 00 00').count(2), { code: 'truncated' })
  strictEqual(reading('00 00 00 02 00 00 00 00').count(2), 2)
  throws(() => reading('ff ff ff ff 0f').compactCount(1), { code: 'truncated' })
})

test('a hostile number of tagged fields ends with the bytes, not with the number', () => {
  throws(() => reading('ff ff ff ff 0f 00 00').skipTaggedFields(), { code: 'truncated' })
})

// R2
test('bytes are a view of the input', () => {
  const input = Buffer.from('00000002aabb', 'hex')
  const bytes = new Reader(input).bytes()
  input[4] = 0xcc
  deepStrictEqual([...bytes], [0xcc, 0xbb])
})

test('an input that is a part of a larger buffer is read within its bounds', () => {
  const outer = Buffer.from('ff000161ff', 'hex')
  strictEqual(new Reader(outer.subarray(1, 4)).string(), 'a')
  strictEqual(new Reader(new Uint8Array(outer).subarray(1, 4)).string(), 'a')
})

// R1
test('a truncated read says what, where, and where the input ends', () => {
  const reader = reading('0005 61')
  throws(() => reader.string(), { message: '5 bytes at byte 2, but the input ends at 3' })
})
