import { InflatedBytes } from './inflated-bytes.ts'
import { Reader } from './reader.ts'
import { WireError } from './wire-error.ts'

const frameMagic = 0x184d_2204
const versionOne = 1

/** In a block's length, this bit says that the block is stored as it is. */
const storedBit = 0x8000_0000

/** The shortest repetition that the format can say. */
const repeatBytesMin = 4

/**
 * Decompresses an LZ4 frame, which is what Kafka's `lz4` is. Its checksums are passed over, because
 * the batch has one of its own. Our own, because the packages that do it have no limit.
 */
export function inflateLz4(input: Uint8Array, bytesMax: number): Uint8Array {
  const reader = new Reader(input)
  const output = new InflatedBytes(bytesMax)
  const { blockChecksums } = readFrameHeader(reader)
  for (;;) {
    const length = littleEndian32(reader)
    if (length === 0) return output.bytes()
    const stored = (length & storedBit) !== 0
    const block = reader.take(stored ? length - storedBit : length)
    if (stored) output.literal(block, 0, block.byteLength)
    else inflateBlock(block, output)
    if (blockChecksums) reader.skip(4)
  }
}

function readFrameHeader(reader: Reader): { blockChecksums: boolean } {
  if (littleEndian32(reader) !== frameMagic) {
    throw new WireError('malformed', 'the bytes do not begin as an LZ4 frame does')
  }
  const flags = reader.uint8()
  if (flags >>> 6 !== versionOne) {
    throw new WireError('malformed', `LZ4 frames have version 1, not ${flags >>> 6}`)
  }
  const hasContentSize = (flags & 0x08) !== 0
  const hasDictionary = (flags & 0x01) !== 0
  if (hasDictionary) throw new WireError('malformed', 'the LZ4 frame needs a dictionary')
  // The largest size of a block, and the header's checksum.
  reader.skip(1 + (hasContentSize ? 8 : 0) + 1)
  return { blockChecksums: (flags & 0x10) !== 0 }
}

/** Literals and repetitions in turn; the last sequence of a block is literals alone. */
function inflateBlock(block: Uint8Array, output: InflatedBytes): void {
  const reader = new Reader(block)
  while (reader.remaining > 0) {
    const token = reader.uint8()
    const literals = extended(reader, token >>> 4)
    output.literal(block, reader.position, literals)
    reader.skip(literals)
    if (reader.remaining === 0) return
    const distance = reader.uint8() | (reader.uint8() << 8)
    output.repeat(distance, extended(reader, token & 0x0f) + repeatBytesMin)
  }
}

/** 15 says that more follows, a byte at a time, as long as that byte is 255. */
function extended(reader: Reader, nibble: number): number {
  if (nibble < 15) return nibble
  let length = nibble
  for (;;) {
    const byte = reader.uint8()
    length += byte
    if (byte < 255) return length
  }
}

function littleEndian32(reader: Reader): number {
  return (
    reader.uint8() + reader.uint8() * 2 ** 8 + reader.uint8() * 2 ** 16 + reader.uint8() * 2 ** 24
  )
}
