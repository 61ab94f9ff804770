// One sync at a time, for everybody who came while the last one ran.
//
// G1. At most one group is being committed. Requests made meanwhile are served by one next group,
//     however many they are.
// G2. A group begins after the events of this loop turn, so that it takes what all of them brought.

/** Called when the events at hand are handled; by default `setImmediate`. */
export type Defer = (run: () => void) => void

export class GroupCommit {
  readonly #commit: () => Promise<void>
  readonly #defer: Defer
  #running: Promise<void> | undefined
  #requested = false

  /** `commit` commits one group. It deals with its errors itself and never rejects. */
  constructor(commit: () => Promise<void>, defer: Defer = setImmediate) {
    this.#commit = commit
    this.#defer = defer
  }

  /** Asks for a group that takes everything there is when it begins. */
  request(): void {
    this.#requested = true
    this.#running ??= this.#run() // G1
  }

  async #run(): Promise<void> {
    while (this.#requested) {
      await new Promise<void>((resolve) => this.#defer(resolve)) // G2
      this.#requested = false
      await this.#commit()
    }
    this.#running = undefined
  }

  /** Resolves when everything that was requested is committed. */
  async settled(): Promise<void> {
    await this.#running
  }
}
