import { varintBytesMax, varlongBytesMax } from './limits.ts'
import { WireError } from './wire-error.ts'

/**
 * Reads Kafka's primitive types from bytes, front to back.
 *
 * R1. Nothing is read past the end: what is missing is a `WireError` `truncated`, at its offset.
 * R2. Bytes are views of the input, never copies; whoever keeps them keeps the input.
 * R3. A count is believed only as far as the bytes that remain could hold that many elements, so
 *     that a hostile one allocates nothing.
 */
export class Reader {
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #end: number
  #position = 0

  constructor(input: Uint8Array) {
    this.#bytes = Buffer.isBuffer(input)
      ? input
      : Buffer.from(input.buffer, input.byteOffset, input.byteLength)
    this.#view = new DataView(input.buffer, input.byteOffset, input.byteLength)
    this.#end = input.byteLength
  }

  get position(): number {
    return this.#position
  }

  get remaining(): number {
    return this.#end - this.#position
  }

  int8(): number {
    return this.#view.getInt8(this.#advance(1))
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  int16(): number {
    return this.#view.getInt16(this.#advance(2))
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4))
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#advance(8))
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2))
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4))
  }

  float64(): number {
    return this.#view.getFloat64(this.#advance(8))
  }

  boolean(): boolean {
    return this.int8() !== 0
  }

  uuid(): string {
    const start = this.#advance(16)
    return this.#bytes.toString('base64url', start, start + 16)
  }

  unsignedVarint(): number {
    let value = 0
    for (let group = 0; group < varintBytesMax; group++) {
      const byte = this.uint8()
      if (group === varintBytesMax - 1 && byte > 0x0f) break
      // A multiplication, because a shift by 28 would make large values negative.
      value += (byte & 0x7f) * 2 ** (7 * group)
      if (byte < 0x80) return value
    }
    throw this.#malformed(`a varint of more than 32 bits ends at byte ${this.#position}`)
  }

  /** Zig-zag: a signed 32-bit number. */
  varint(): number {
    const raw = this.unsignedVarint()
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** Zig-zag: a signed 64-bit number. */
  varlong(): bigint {
    let low = 0
    for (let group = 0; group < 4; group++) {
      const byte = this.uint8()
      low |= (byte & 0x7f) << (7 * group)
      if (byte < 0x80) return BigInt((low >>> 1) ^ -(low & 1))
    }
    return this.#varlongFrom(BigInt(low))
  }

  string(): string {
    return this.#text(this.#present(this.int16(), 'string'))
  }

  nullableString(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.#text(length)
  }

  compactString(): string {
    return this.#text(this.#present(this.unsignedVarint() - 1, 'string'))
  }

  compactNullableString(): string | null {
    const length = this.unsignedVarint() - 1
    return length === -1 ? null : this.#text(length)
  }

  bytes(): Uint8Array {
    return this.take(this.#present(this.int32(), 'bytes'))
  }

  nullableBytes(): Uint8Array | null {
    const length = this.int32()
    return length === -1 ? null : this.take(length)
  }

  compactBytes(): Uint8Array {
    return this.take(this.#present(this.unsignedVarint() - 1, 'bytes'))
  }

  compactNullableBytes(): Uint8Array | null {
    const length = this.unsignedVarint() - 1
    return length === -1 ? null : this.take(length)
  }

  /** The number of elements of a list, each of at least `bytesEach`; -1 for null. */
  count(bytesEach: number): number {
    return this.#believable(this.int32(), bytesEach)
  }

  /** As `count`, in the form of the flexible versions. */
  compactCount(bytesEach: number): number {
    return this.#believable(this.unsignedVarint() - 1, bytesEach)
  }

  /** The next bytes, as a view. */
  take(length: number): Uint8Array {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  skip(length: number): void {
    this.#advance(length)
  }

  /** Passes over the tagged fields (KIP-482) at the end of a flexible struct that has none. */
  skipTaggedFields(): void {
    let left = this.unsignedVarint()
    for (; left > 0; left--) {
      this.unsignedVarint()
      this.skip(this.unsignedVarint())
    }
  }

  #varlongFrom(low: bigint): bigint {
    let value = low
    for (let group = 4; group < varlongBytesMax; group++) {
      const byte = this.uint8()
      if (group === varlongBytesMax - 1 && byte > 1) break
      value |= BigInt(byte & 0x7f) << BigInt(7 * group)
      if (byte < 0x80) return (value >> 1n) ^ -(value & 1n)
    }
    throw this.#malformed(`a varint of more than 64 bits ends at byte ${this.#position}`)
  }

  #text(length: number): string {
    const start = this.#advance(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  #present(length: number, what: string): number {
    if (length >= 0) return length
    throw this.#malformed(`the ${what} at byte ${this.#position} has the length ${length}`)
  }

  #believable(count: number, bytesEach: number): number {
    if (count < -1) {
      throw this.#malformed(`the list at byte ${this.#position} has the count ${count}`)
    }
    if (count * bytesEach > this.remaining) {
      const most = `${count} elements of at least ${bytesEach} bytes`
      throw this.#truncated(`a list of ${most}`, this.#position)
    }
    return count
  }

  #advance(length: number): number {
    const start = this.#position
    if (length < 0) throw this.#malformed(`a length of ${length} at byte ${start}`)
    if (start + length > this.#end) throw this.#truncated(`${length} bytes`, start)
    this.#position = start + length
    return start
  }

  #truncated(what: string, at: number): WireError {
    return new WireError('truncated', `${what} at byte ${at}, but the input ends at ${this.#end}`)
  }

  #malformed(message: string): WireError {
    return new WireError('malformed', message)
  }
}
