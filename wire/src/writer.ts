import { referenceBytesMin, writerBytesInitial } from './limits.ts'

/** Bytes in the order in which they go out, ready for one `writev`. */
export interface Encoded {
  readonly chunks: readonly Uint8Array[]
  readonly byteLength: number
}

/**
 * Writes Kafka's primitive types, front to back.
 *
 * W1. Bytes of `referenceBytesMin` and more are not copied: they become a chunk of the result, and
 *     must not change until that has been sent.
 * W2. A number that does not fit its type is a `RangeError`: the program is wrong, not the peer.
 * W3. `#reserve` may replace the buffer, so it is called before buffer or view are looked at.
 */
export class Writer {
  #bytes = Buffer.allocUnsafe(writerBytesInitial)
  #view = viewOf(this.#bytes)
  /** Where the bytes begin that are in no chunk yet. */
  #start = 0
  #position = 0
  #chunks: Uint8Array[] = []
  #chunkBytes = 0

  get byteLength(): number {
    return this.#chunkBytes + this.#position - this.#start
  }

  int8(value: number): void {
    checkInteger(value, -0x80, 0x7f)
    const at = this.#reserve(1)
    this.#view.setInt8(at, value)
  }

  int16(value: number): void {
    checkInteger(value, -0x8000, 0x7fff)
    const at = this.#reserve(2)
    this.#view.setInt16(at, value)
  }

  int32(value: number): void {
    checkInteger(value, -0x8000_0000, 0x7fff_ffff)
    const at = this.#reserve(4)
    this.#view.setInt32(at, value)
  }

  int64(value: bigint): void {
    checkLong(value)
    const at = this.#reserve(8)
    this.#view.setBigInt64(at, value)
  }

  uint16(value: number): void {
    checkInteger(value, 0, 0xffff)
    const at = this.#reserve(2)
    this.#view.setUint16(at, value)
  }

  uint32(value: number): void {
    checkInteger(value, 0, 0xffff_ffff)
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }

  float64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value)
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  /** Takes Kafka's text of an id: base64url, 22 characters. */
  uuid(value: string): void {
    const at = this.#reserve(16)
    if (value.length !== 22 || this.#bytes.write(value, at, 16, 'base64url') !== 16) {
      throw new RangeError(`"${value}" is no uuid: Kafka's are 22 characters of base64url`)
    }
  }

  unsignedVarint(value: number): void {
    checkInteger(value, 0, 0xffff_ffff)
    let rest = value >>> 0
    let at = this.#reserve(1)
    while (rest > 0x7f) {
      this.#bytes[at] = (rest & 0x7f) | 0x80
      rest >>>= 7
      at = this.#reserve(1)
    }
    this.#bytes[at] = rest
  }

  /** Zig-zag: a signed 32-bit number. */
  varint(value: number): void {
    checkInteger(value, -0x8000_0000, 0x7fff_ffff)
    this.unsignedVarint(((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** Zig-zag: a signed 64-bit number. */
  varlong(value: bigint): void {
    checkLong(value)
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest > 0xffff_ffffn) {
      const at = this.#reserve(1)
      this.#bytes[at] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.unsignedVarint(Number(rest))
  }

  string(value: string): void {
    const length = Buffer.byteLength(value)
    this.int16(length)
    this.#text(value, length)
  }

  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }

  compactString(value: string): void {
    const length = Buffer.byteLength(value)
    this.unsignedVarint(length + 1)
    this.#text(value, length)
  }

  compactNullableString(value: string | null): void {
    if (value === null) this.unsignedVarint(0)
    else this.compactString(value)
  }

  bytes(value: Uint8Array): void {
    this.int32(value.byteLength)
    this.raw(value)
  }

  compactBytes(value: Uint8Array): void {
    this.unsignedVarint(value.byteLength + 1)
    this.raw(value)
  }

  /** Bytes without a length before them: copied when few, else referenced (W1). */
  raw(value: Uint8Array): void {
    if (value.byteLength < referenceBytesMin) {
      const at = this.#reserve(value.byteLength)
      this.#bytes.set(value, at)
      return
    }
    this.#cut()
    this.#chunks.push(value)
    this.#chunkBytes += value.byteLength
  }

  /** What another writer holds, in its order. */
  append(encoded: Encoded): void {
    for (const chunk of encoded.chunks) this.raw(chunk)
  }

  /** Everything that was written. The writer goes on after it. */
  encoded(): Encoded {
    this.#cut()
    return { chunks: [...this.#chunks], byteLength: this.#chunkBytes }
  }

  #text(value: string, length: number): void {
    const at = this.#reserve(length)
    this.#bytes.write(value, at, length, 'utf8')
  }

  #cut(): void {
    if (this.#position === this.#start) return
    this.#chunks.push(this.#bytes.subarray(this.#start, this.#position))
    this.#chunkBytes += this.#position - this.#start
    this.#start = this.#position
  }

  #reserve(length: number): number {
    if (this.#position + length > this.#bytes.byteLength) this.#grow(length)
    const at = this.#position
    this.#position += length
    return at
  }

  /** Moves the open chunk into a larger buffer; the chunks that are cut stay where they are. */
  #grow(length: number): void {
    const open = this.#bytes.subarray(this.#start, this.#position)
    this.#bytes = Buffer.allocUnsafe(Math.max(writerBytesInitial, 2 * (open.byteLength + length)))
    this.#bytes.set(open, 0)
    this.#view = viewOf(this.#bytes)
    this.#start = 0
    this.#position = open.byteLength
  }
}

/** The encoded bytes in one piece: a copy when there are several chunks. */
export function joined(encoded: Encoded): Uint8Array {
  const [first] = encoded.chunks
  if (first !== undefined && encoded.chunks.length === 1) return first
  return Buffer.concat(encoded.chunks, encoded.byteLength)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function checkInteger(value: number, min: number, max: number): void {
  if (value >= min && value <= max && Number.isInteger(value)) return
  throw new RangeError(`${value} is no integer from ${min} to ${max}`)
}

function checkLong(value: bigint): void {
  if (value >= -0x8000_0000_0000_0000n && value <= 0x7fff_ffff_ffff_ffffn) return
  throw new RangeError(`${value} is no 64-bit integer`)
}
