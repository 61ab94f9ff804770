import type { Clock, Timer } from '../src/clock.ts'

/** A clock that stands still until a test moves it. */
export class HandMovedClock implements Clock {
  readonly #timers = new Set<{ readonly atMs: number; readonly fire: () => void }>()
  #nowMs = 1_700_000_000_000

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, fire: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, fire }
    this.#timers.add(timer)
    return { cancel: () => this.#timers.delete(timer) }
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size
  }

  /** Moves on, and fires what falls due on the way, in order. */
  pass(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= untilMs)
      const [next] = due.sort((left, right) => left.atMs - right.atMs)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#nowMs = next.atMs
      next.fire()
    }
    this.#nowMs = untilMs
  }
}
