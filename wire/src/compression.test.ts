import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fromHex } from '../test/hex.ts'
import { compressionNames, compressionOf, deflate, inflate } from './compression.ts'
import { WireError } from './wire-error.ts'

/** Runs of different lengths and distances, which both small and large copies are made of. */
const compressible = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 200 })))
  .map((runs) => Buffer.concat(runs.flatMap(([run, times]) => Array<Uint8Array>(times).fill(run))))

for (const compression of compressionNames) {
  test(`${compression}: what is deflated inflates to the same bytes`, () => {
    fc.assert(
      fc.property(compressible, (bytes) => {
        const back = inflate(compression, deflate(compression, bytes))
        strictEqual(Buffer.compare(back, bytes), 0)
      }),
    )
  })
}

for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`${compression}: a small input that inflates past the limit is refused`, () => {
    const bomb = deflate(compression, Buffer.alloc(1_000_000))
    throws(() => inflate(compression, bomb, { bytesMax: 999_999 }), { code: 'too-large' })
    strictEqual(inflate(compression, bomb, { bytesMax: 1_000_000 }).byteLength, 1_000_000)
  })

  test(`${compression}: bytes of something else are a WireError`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          inflate(compression, bytes, { bytesMax: 1_000_000 })
        } catch (error) {
          ok(error instanceof WireError, String(error))
        }
      }),
    )
  })

  test(`${compression}: bytes that end too early are a WireError`, () => {
    const whole = deflate(compression, Buffer.from('a word, a word, and another word '.repeat(9)))
    for (let length = 1; length < whole.byteLength; length++) {
      throws(() => inflate(compression, whole.subarray(0, length)), { name: 'WireError' })
    }
  })
}

test('snappy in the framing of Java is the sum of its blocks', () => {
  const blocks = ['one and one', 'two and two'].map((text) => {
    const block = deflate('snappy', Buffer.from(text))
    const length = Buffer.alloc(4)
    length.writeInt32BE(block.byteLength)
    return Buffer.concat([length, block])
  })
  const framed = Buffer.concat([fromHex('82534e4150505900 00000001 00000001'), ...blocks])
  strictEqual(Buffer.from(inflate('snappy', framed)).toString(), 'one and onetwo and two')
})

const snappyParts: [name: string, hex: string, text: string][] = [
  ['a literal', '03 08 616263', 'abc'],
  ['a literal whose length takes a byte', '03 f0 02 616263', 'abc'],
  ['a copy that overlaps itself', '08 04 6162 09 02', 'abababab'],
  ['a copy whose distance takes two bytes', '06 08 616263 0a 0300', 'abcabc'],
  ['a copy whose distance takes four bytes', '06 08 616263 0b 03000000', 'abcabc'],
]
for (const [name, hex, text] of snappyParts) {
  test(`snappy: ${name}`, () => {
    strictEqual(Buffer.from(inflate('snappy', fromHex(hex))).toString(), text)
  })
}

const malformed: [name: string, compression: 'snappy' | 'lz4', hex: string][] = [
  ['a snappy copy from before the start', 'snappy', '08 04 6162 11 03'],
  ['a snappy copy from no distance', 'snappy', '08 04 6162 11 00'],
  ['a snappy block shorter than it says', 'snappy', '05 08 616263'],
  ['an lz4 copy from before the start', 'lz4', '04224d18 60 40 82 04000000 10 61 0200 00000000'],
  ['an lz4 frame of version 2', 'lz4', '04224d18 a0 40 82 00000000'],
  ['an lz4 frame with a dictionary', 'lz4', '04224d18 61 40 00000000 82 00000000'],
]
for (const [name, compression, hex] of malformed) {
  test(`${name} is malformed`, () => {
    throws(() => inflate(compression, fromHex(hex)), { code: 'malformed' })
  })
}

test('lz4: blocks that are stored, and checksums of blocks and content, are read over', () => {
  const stored = '03000080 616263'
  const bytes = fromHex(`04224d18 74 40 00 ${stored} 00000000 ${stored} 00000000 00000000 ffffffff`)
  strictEqual(Buffer.from(inflate('lz4', bytes)).toString(), 'abcabc')
})

test('a compression type is one of five', () => {
  deepStrictEqual([0, 1, 2, 3, 4].map(compressionOf), [...compressionNames])
  throws(() => compressionOf(5), { code: 'unsupported-compression' })
})
