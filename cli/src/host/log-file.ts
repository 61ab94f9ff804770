import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * A file of log lines that never grows past its limit: the full one is kept as `<file>.1`, in
 * place of the one before it. Lines are written at once, so that a crash loses none.
 *
 * L1. The two files together hold at most twice the limit, and one line.
 * L2. A disk that is full loses log lines, and nothing else: writing never throws.
 */
export class LogFile implements Disposable {
  readonly #location: string
  readonly #bytesMax: number
  #descriptor: number
  #bytes: number
  #isClosed = false

  constructor(location: string, bytesMax: number) {
    mkdirSync(dirname(location), { recursive: true })
    this.#location = location
    this.#bytesMax = bytesMax
    this.#descriptor = openSync(location, 'a')
    this.#bytes = fstatSync(this.#descriptor).size
  }

  write(line: string): void {
    if (this.#isClosed) return
    try {
      if (this.#bytes >= this.#bytesMax) this.#turn() // L1
      this.#bytes += writeSync(this.#descriptor, line)
    } catch {
      // L2
    }
  }

  [Symbol.dispose](): void {
    if (!this.#isClosed) closeSync(this.#descriptor)
    this.#isClosed = true
  }

  #turn(): void {
    closeSync(this.#descriptor)
    try {
      renameSync(this.#location, `${this.#location}.1`)
    } finally {
      this.#descriptor = openSync(this.#location, 'a')
      this.#bytes = fstatSync(this.#descriptor).size
    }
  }
}
