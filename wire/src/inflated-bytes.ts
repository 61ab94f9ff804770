import { WireError } from './wire-error.ts'

/** A decompressor grows its output from here, doubling. */
const inflatedBytesInitial = 4_096

/**
 * What a decompressor has put out so far: grows as far as the limit, and copies from itself, which
 * is what Snappy and LZ4 are made of.
 */
export class InflatedBytes {
  readonly #bytesMax: number
  #bytes = Buffer.allocUnsafe(inflatedBytesInitial)
  #length = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get length(): number {
    return this.#length
  }

  /** Appends bytes of the input; throws `truncated` when it does not have that many. */
  literal(input: Uint8Array, start: number, length: number): void {
    const end = start + length
    if (end > input.byteLength) {
      const text = `${length} literal bytes at byte ${start}, but the input ends before`
      throw new WireError('truncated', text)
    }
    this.#makeRoom(length)
    this.#bytes.set(input.subarray(start, end), this.#length)
    this.#length += length
  }

  /** Appends what stands `distance` bytes back, over again when that is less than `length`. */
  repeat(distance: number, length: number): void {
    if (distance === 0 || distance > this.#length) {
      const text = `a copy from ${distance} bytes back, where ${this.#length} are known`
      throw new WireError('malformed', text)
    }
    this.#makeRoom(length)
    const from = this.#length - distance
    const end = this.#length + length
    // What was copied is itself a source, so each step is twice as long as the one before.
    while (this.#length < end) {
      const step = Math.min(this.#length - from, end - this.#length)
      this.#bytes.copyWithin(this.#length, from, from + step)
      this.#length += step
    }
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #makeRoom(length: number): void {
    const wanted = this.#length + length
    if (wanted > this.#bytesMax) throw tooLarge(this.#bytesMax)
    if (wanted <= this.#bytes.byteLength) return
    const larger = Buffer.allocUnsafe(Math.min(this.#bytesMax, 2 * wanted))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

export function tooLarge(bytesMax: number, cause?: unknown): WireError {
  const text = `the records are larger than ${bytesMax} bytes once decompressed`
  return new WireError('too-large', text, { cause })
}
