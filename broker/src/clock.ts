/** Time, as the broker sees it. Tests move it by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
  /** Calls `fire` once, after `delayMs`. */
  after(delayMs: number, fire: () => void): Timer
}

/** A timer that somebody owns: cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, fire) {
    const timeout = setTimeout(fire, delayMs)
    return { cancel: () => clearTimeout(timeout) }
  },
}
