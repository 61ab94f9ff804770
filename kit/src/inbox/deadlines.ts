import type { Clock, Timer } from '../clock.ts'

/**
 * One time limit for many at once, with one timer for the first of them: a timer for each would
 * cost more than most handlers do.
 */
export class Deadlines<Item> {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #over: (item: Item) => void
  /** In the order in which they were added, which is that of their times. */
  readonly #atMs = new Map<Item, number>()
  #timer: Timer | null = null

  constructor(clock: Clock, limitMs: number, over: (item: Item) => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#over = over
  }

  add(item: Item): void {
    this.#atMs.set(item, this.#clock.nowMs() + this.#limitMs)
    this.#timer ??= this.#clock.after(this.#limitMs, () => this.#look())
  }

  /** The item is done. The last one leaves no timer behind. */
  remove(item: Item): void {
    this.#atMs.delete(item)
    if (this.#atMs.size > 0) return
    this.#timer?.cancel()
    this.#timer = null
  }

  #look(): void {
    this.#timer = null
    const nowMs = this.#clock.nowMs()
    for (const [item, atMs] of this.#atMs) {
      if (atMs > nowMs) {
        this.#timer = this.#clock.after(atMs - nowMs, () => this.#look())
        return
      }
      this.#atMs.delete(item)
      this.#over(item)
    }
  }
}
