/**
 * One run of an instance, from its start to its crash or stop.
 *
 * F1. A dead life hears nothing and does nothing: its operations and timers are dropped, and its
 *     promises never settle.
 * F2. A paused life is as a process that the system has stopped: all of it waits, nothing is lost.
 */
export class Life {
  /** As it stands in the trace: `shop#1`, and `shop#1.2` after its first restart. */
  readonly name: string
  /** Lives that begin later have higher numbers. */
  readonly number: number
  #state: 'alive' | 'paused' | 'dead' = 'alive'

  constructor(name: string) {
    this.name = name
    lives += 1
    this.number = lives
  }

  get isAlive(): boolean {
    return this.#state === 'alive'
  }

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  get isPaused(): boolean {
    return this.#state === 'paused'
  }

  pause(): void {
    if (this.#state === 'alive') this.#state = 'paused'
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'alive'
  }

  end(): void {
    this.#state = 'dead'
  }
}

let lives = 0

/** The number of the life that began last. */
export function newestLife(): number {
  return lives
}
