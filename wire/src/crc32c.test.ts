import { strictEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c, crc32cByTables } from './crc32c.ts'

// RFC 3720, appendix B.4, and the check value of every catalogue of checksums.
const vectors: [name: string, bytes: Buffer, crc: number][] = [
  ['no bytes', Buffer.alloc(0), 0],
  ['the digits 1 to 9', Buffer.from('123456789'), 0xe306_9283],
  ['32 bytes of 00', Buffer.alloc(32), 0x8a91_36aa],
  ['32 bytes of ff', Buffer.alloc(32, 0xff), 0x62a8_ab43],
  ['32 bytes that ascend', Buffer.from([...Array(32).keys()]), 0x46dd_794e],
  ['32 bytes that descend', Buffer.from([...Array(32).keys()].reverse()), 0x113f_db5c],
]
for (const [name, bytes, crc] of vectors) {
  test(`the CRC-32C of ${name} is ${crc.toString(16)}`, () => {
    strictEqual(crc32c(bytes), crc)
  })
}

test('the checksum is that of the bytes, wherever they begin and however many they are', () => {
  const outer = Buffer.from([...Array(80).keys()].map((index) => (index * 151) & 0xff))
  for (let start = 0; start < 9; start++) {
    for (let length = 0; length < 40; length++) {
      const bytes = outer.subarray(start, start + length)
      strictEqual(crc32c(bytes), bitByBit(bytes))
    }
  }
})

test('with the addon and without it, a long input has the same checksum', () => {
  const outer = Buffer.from([...Array(5000).keys()].map((index) => (index * 167) & 0xff))
  for (const length of [255, 256, 257, 1024, 4999]) {
    const bytes = outer.subarray(1, 1 + length)
    strictEqual(crc32c(bytes), crc32cByTables(bytes))
    strictEqual(crc32cByTables(bytes), bitByBit(bytes))
  }
})

function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0)
  }
  return ~crc >>> 0
}
