// The bytes of one connection on their way in: where the next read lands, and which whole frames
// have come. A frame is four bytes of length and so many bytes of request.
//
// F1. A frame is a view, not a copy: it holds until `space` is asked for again.
// F2. A length is believed only as far as its bytes have come, so that a hostile one allocates
//     nothing: a frame larger than the arena gets a buffer that doubles while it fills.
// F3. A length outside of the limits is a `WireError`; after it nothing can be read any more.

import { WireError } from '@millrace/wire'
import { arenaBytes, frameBytesMax, frameBytesMin } from './limits.ts'

const lengthBytes = 4

export class Frames {
  readonly #arena = Buffer.allocUnsafeSlow(arenaBytes)
  #bytes: Buffer = this.#arena
  /** Unhandled bytes lie from `#start` to `#end`. */
  #start = 0
  #end = 0

  /** Bytes that came and belong to no frame that was taken yet. */
  get pendingBytes(): number {
    return this.#end - this.#start
  }

  /** Where the next bytes go; never empty. Frames that were taken before are void (F1). */
  space(): Uint8Array {
    if (this.#start === this.#end) this.#rewind()
    else this.#makeRoom()
    return this.#bytes.subarray(this.#end)
  }

  /** So many bytes were put where `space` said. */
  filled(count: number): void {
    this.#end += count
  }

  /** Takes in a chunk that was read elsewhere. */
  feed(chunk: Uint8Array): void {
    for (let fed = 0; fed < chunk.byteLength; ) {
      const space = this.space()
      const piece = chunk.subarray(fed, fed + space.byteLength)
      space.set(piece)
      this.filled(piece.byteLength)
      fed += piece.byteLength
    }
  }

  /** The next whole frame without its length; `undefined` when it has not come wholly. */
  next(): Buffer | undefined {
    const length = this.#nextLength()
    if (length === undefined || this.pendingBytes < lengthBytes + length) return undefined
    const from = this.#start + lengthBytes
    this.#start = from + length
    return this.#bytes.subarray(from, this.#start)
  }

  #nextLength(): number | undefined {
    if (this.pendingBytes < lengthBytes) return undefined
    const length = this.#bytes.readInt32BE(this.#start)
    if (length >= frameBytesMin && length <= frameBytesMax) return length
    const bounds = `${frameBytesMin}–${frameBytesMax}`
    throw new WireError('malformed', `a frame of ${length} bytes (allowed: ${bounds})`) // F3
  }

  #rewind(): void {
    this.#bytes = this.#arena
    this.#start = 0
    this.#end = 0
  }

  /** Moves what is pending to the front, into a larger buffer when this one is full of it. */
  #makeRoom(): void {
    const full = this.pendingBytes === this.#bytes.byteLength
    if (full)
      this.#moveTo(Buffer.allocUnsafeSlow(2 * this.#bytes.byteLength)) // F2
    else if (this.#start > 0) this.#moveTo(this.#bytes)
  }

  #moveTo(target: Buffer): void {
    this.#bytes.copy(target, 0, this.#start, this.#end)
    this.#bytes = target
    this.#end -= this.#start
    this.#start = 0
  }
}
