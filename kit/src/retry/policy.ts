import type { Random } from '../clock.ts'
import type { RetryOptions } from '../handler.ts'
import { retryAttemptsDefault, retryDelayMsMaxDefault, retryDelayMsMinDefault } from '../limits.ts'
import { backoffMs } from './backoff.ts'

/** What follows a failed attempt. */
export type AfterFailure =
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'exhausted' }

/** `attempt` is the one that failed, 1 for the first. */
export function afterFailure(attempt: number, options: RetryOptions, random: Random): AfterFailure {
  const {
    attemptsMax = retryAttemptsDefault,
    delayMsMin = retryDelayMsMinDefault,
    delayMsMax = retryDelayMsMaxDefault,
  } = options
  if (attempt >= attemptsMax) return { kind: 'exhausted' }
  return { kind: 'retry', delayMs: backoffMs({ attempt, delayMsMin, delayMsMax }, random) }
}
