import { setImmediate } from 'node:timers/promises'
import type { Clock, Timer } from './clock.ts'

interface Pending {
  readonly atMs: number
  readonly fire: () => void
}

/**
 * Time that a test moves by hand. Nothing fires by itself.
 *
 * M1. Timers fire in the order of their times, and each sees its own time as now.
 */
export class ManualClock implements Clock {
  #nowMs: number
  #pending: readonly Pending[] = []

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  /** Timers that wait, so that a test can see that none was left behind. */
  get timers(): number {
    return this.#pending.length
  }

  nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, fire: () => void): Timer {
    const pending = { atMs: this.#nowMs + delayMs, fire }
    this.#pending = [...this.#pending, pending].sort((a, b) => a.atMs - b.atMs)
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== pending)
      },
    }
  }

  /** Moves time on, fires what becomes due (M1), and lets each run until it waits again. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    for (;;) {
      await setImmediate()
      const [next, ...later] = this.#pending
      if (next === undefined || next.atMs > untilMs) break
      this.#pending = later
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.fire()
    }
    this.#nowMs = untilMs
  }
}
