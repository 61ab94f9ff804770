import { InflatedBytes } from './inflated-bytes.ts'
import { Reader } from './reader.ts'
import { WireError } from './wire-error.ts'

/** Java's framing begins so, with two version numbers of four bytes after it. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const xerialHeaderBytes = 16

/**
 * Decompresses Snappy, raw or in the framing of xerial's snappy-java, which Kafka's Java clients
 * write. Our own, because the packages that do it believe the length that the input claims.
 */
export function inflateSnappy(input: Uint8Array, bytesMax: number): Uint8Array {
  const output = new InflatedBytes(bytesMax)
  if (!isXerial(input)) {
    inflateBlock(input, output)
    return output.bytes()
  }
  const reader = new Reader(input)
  reader.skip(xerialHeaderBytes)
  while (reader.remaining > 0) inflateBlock(reader.bytes(), output)
  return output.bytes()
}

function isXerial(input: Uint8Array): boolean {
  return (
    input.byteLength >= xerialHeaderBytes &&
    Buffer.compare(input.subarray(0, xerialMagic.byteLength), xerialMagic) === 0
  )
}

/** One raw block: its length once decompressed, then literals and copies. */
function inflateBlock(block: Uint8Array, output: InflatedBytes): void {
  const reader = new Reader(block)
  const end = output.length + reader.unsignedVarint()
  while (reader.remaining > 0) {
    const tag = reader.uint8()
    if ((tag & 0x03) === 0) {
      const length = literalLength(reader, tag >>> 2)
      output.literal(block, reader.position, length)
      reader.skip(length)
    } else {
      const { distance, length } = copyOf(reader, tag)
      output.repeat(distance, length)
    }
  }
  if (output.length === end) return
  const text = `a snappy block is ${output.length - end} bytes longer than it says`
  throw new WireError('malformed', text)
}

/** Below 60 it is the length less one; 60–63 say that it follows in one to four bytes. */
function literalLength(reader: Reader, code: number): number {
  if (code < 60) return code + 1
  return littleEndian(reader, code - 59) + 1
}

function copyOf(reader: Reader, tag: number): { distance: number; length: number } {
  const kind = tag & 0x03
  if (kind === 1) {
    return { distance: ((tag >>> 5) << 8) | reader.uint8(), length: ((tag >>> 2) & 0x07) + 4 }
  }
  return { distance: littleEndian(reader, kind === 2 ? 2 : 4), length: (tag >>> 2) + 1 }
}

function littleEndian(reader: Reader, bytes: number): number {
  let value = 0
  for (let index = 0; index < bytes; index++) value += reader.uint8() * 2 ** (8 * index)
  return value
}
