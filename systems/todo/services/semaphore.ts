/**
 * Lets so many pieces of work run at once; the rest wait in the order in which they came.
 *
 * S1. At most `permits` pieces of work run at any moment.
 * S2. At most `waitingMax` wait; one more is refused at once with `SemaphoreFull`.
 * S3. A piece of work that fails gives its permit back like any other.
 */
export class Semaphore {
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor({ permits, waitingMax }: { permits: number; waitingMax: number }) {
    this.#free = permits
    this.#waitingMax = waitingMax
  }

  /** Runs `work` when its turn comes. Rejects with `SemaphoreFull` where too many wait already. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1
    else await this.#turn()
    try {
      return await work()
    } finally {
      this.#passOn()
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax) throw new SemaphoreFull(this.#waitingMax)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** The permit goes straight to the next in line, so that nobody overtakes. */
  #passOn(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free += 1
  }
}

/** So many wait already that one more would wait too long. */
export class SemaphoreFull extends Error {
  override readonly name = 'SemaphoreFull'

  constructor(waitingMax: number) {
    super(`${waitingMax} wait already`)
  }
}
