/** Time, as the kit sees it. Tests move it by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
  /** Calls `fire` once, after `delayMs`. */
  after(delayMs: number, fire: () => void): Timer
  /** Calls `work` once what is under way is done. Default: in the event loop's next turn. */
  turn?(work: () => void): Timer
}

/** A timer that somebody owns: cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void
}

/** A number in [0, 1), as `Math.random` gives. */
export type Random = () => number

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, fire) {
    const timeout = setTimeout(fire, delayMs)
    return { cancel: () => clearTimeout(timeout) }
  },
}
