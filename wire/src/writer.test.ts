import { deepStrictEqual, strictEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import { referenceBytesMin, writerBytesInitial } from './limits.ts'
import { joined, Writer } from './writer.ts'

// W1
test('large bytes are a chunk of their own, the very ones that were given', () => {
  const large = Buffer.alloc(referenceBytesMin, 7)
  const writer = new Writer()
  writer.int16(1)
  writer.raw(large)
  writer.int16(2)
  const { chunks, byteLength } = writer.encoded()
  deepStrictEqual(
    chunks.map((chunk) => chunk.byteLength),
    [2, referenceBytesMin, 2],
  )
  strictEqual(chunks[1], large)
  strictEqual(byteLength, referenceBytesMin + 4)
})

test('small bytes are copied, so that the caller may use them again', () => {
  const small = Buffer.from([1, 2, 3])
  const writer = new Writer()
  writer.raw(small)
  small.fill(0)
  deepStrictEqual([...joined(writer.encoded())], [1, 2, 3])
})

test('a writer that outgrows its buffer keeps what stands before and after a large chunk', () => {
  const writer = new Writer()
  const text = 'x'.repeat(writerBytesInitial - 1)
  writer.compactString(text)
  writer.raw(Buffer.alloc(referenceBytesMin, 1))
  writer.compactString(text)
  writer.int64(-1n)
  const bytes = Buffer.from(joined(writer.encoded()))
  strictEqual(bytes.toString('latin1', 2, 2 + text.length), text)
  const second = 2 + text.length + referenceBytesMin + 2
  strictEqual(bytes.toString('latin1', second, second + text.length), text)
  strictEqual(bytes.readBigInt64BE(second + text.length), -1n)
})

// W3: each write that makes the buffer grow lands in the new one.
test('every type of value survives being the one at which the buffer grows', () => {
  const writes: [name: string, write: (writer: Writer) => void, hex: string][] = [
    ['int8', (writer) => writer.int8(-1), 'ff'],
    ['int16', (writer) => writer.int16(0x1234), '1234'],
    ['int32', (writer) => writer.int32(0x12345678), '12345678'],
    ['int64', (writer) => writer.int64(0x1234n), '0000000000001234'],
    ['uint16', (writer) => writer.uint16(0xffee), 'ffee'],
    ['uint32', (writer) => writer.uint32(0xffeeddcc), 'ffeeddcc'],
    ['float64', (writer) => writer.float64(1), '3ff0000000000000'],
    ['uuid', (writer) => writer.uuid('AAECAwQFBgcICQoLDA0ODw'), '000102030405060708090a0b0c0d0e0f'],
    ['varint', (writer) => writer.unsignedVarint(300), 'ac02'],
    ['varlong', (writer) => writer.varlong(2n ** 62n), '80808080808080808001'],
    ['string', (writer) => writer.string('ab'), '00026162'],
  ]
  for (const [name, write, hex] of writes) {
    for (let before = writerBytesInitial - 16; before <= writerBytesInitial; before++) {
      const writer = new Writer()
      writer.raw(Buffer.alloc(before))
      write(writer)
      const bytes = Buffer.from(joined(writer.encoded()))
      strictEqual(bytes.toString('hex', before), hex, `${name} at byte ${before}`)
    }
  }
})

// W2
test('a number that does not fit its type is a RangeError', () => {
  const writer = new Writer()
  for (const write of [
    () => writer.int8(128),
    () => writer.int16(-32_769),
    () => writer.int32(2 ** 31),
    () => writer.int32(1.5),
    () => writer.int32(Number.NaN),
    () => writer.int64(2n ** 63n),
    () => writer.uint16(-1),
    () => writer.uint32(2 ** 32),
    () => writer.unsignedVarint(-1),
    () => writer.varlong(-(2n ** 63n) - 1n),
    () => writer.string('x'.repeat(32_768)),
    () => writer.uuid('too short'),
  ]) {
    throws(write, RangeError)
  }
})
