// Buffers that log reads fill and sockets empty, used again and again: a fresh megabyte for every
// fetch costs four times the processor time of a used one, and doubles the memory of the process.

import { readBufferBytesMin, readBufferBytesPooled, readBuffersBytesMax } from '../limits.ts'

/** A buffer on loan. */
export interface ReadBuffer {
  readonly bytes: Buffer
  /** Gives it back; giving it back again does nothing. */
  readonly release: () => void
}

export class ReadBuffers {
  /** Free buffers by their size, which is a power of two. */
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0

  /** A buffer with room for so many bytes. Its content is whatever it was. */
  take(bytes: number): ReadBuffer {
    const size = Math.max(readBufferBytesMin, 2 ** Math.ceil(Math.log2(bytes)))
    if (size > readBufferBytesPooled) {
      return { bytes: Buffer.allocUnsafeSlow(bytes), release: () => {} }
    }
    const free = this.#free.get(size)?.pop()
    if (free !== undefined) this.#freeBytes -= size
    const buffer = free ?? Buffer.allocUnsafeSlow(size)
    let onLoan = true
    return {
      bytes: buffer.subarray(0, bytes),
      release: () => {
        if (onLoan) this.#keep(buffer)
        onLoan = false
      },
    }
  }

  #keep(buffer: Buffer): void {
    if (this.#freeBytes + buffer.length > readBuffersBytesMax) return
    this.#freeBytes += buffer.length
    const free = this.#free.get(buffer.length)
    if (free === undefined) this.#free.set(buffer.length, [buffer])
    else free.push(buffer)
  }
}
