import type { Random } from '../clock.ts'

export interface BackoffStep {
  /** 1 for the first wait. */
  readonly attempt: number
  /** The first step's limit; it doubles with each attempt. */
  readonly delayMsMin: number
  /** No step is longer. */
  readonly delayMsMax: number
}

/**
 * How long to wait before the next attempt: exponential backoff with full jitter, so that many
 * who failed together do not come back together.
 */
export function backoffMs(
  { attempt, delayMsMin, delayMsMax }: BackoffStep,
  random: Random,
): number {
  // 2^30 steps of a millisecond are twelve days: no limit is longer.
  const doublings = Math.min(Math.max(attempt, 1) - 1, 30)
  return Math.floor(random() * Math.min(delayMsMax, delayMsMin * 2 ** doublings))
}
