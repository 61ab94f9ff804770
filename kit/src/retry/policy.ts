import type { Random } from '../clock.ts'
import type { RetryOptions } from '../handler.ts'
import { backoffMs } from './backoff.ts'
import { retryAttemptsDefault, retryDelayMsMaxDefault, retryDelayMsMinDefault } from './limits.ts'

/** What follows a failed attempt. */
export type AfterFailure =
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** By way of the retry topic of that delay. */
  | { readonly kind: 'topic'; readonly delayMs: number }
  | { readonly kind: 'exhausted' }

/** `attempt` is the one that failed, 1 for the first. */
export function afterFailure(attempt: number, options: RetryOptions, random: Random): AfterFailure {
  const {
    attemptsMax = retryAttemptsDefault,
    delayMsMin = retryDelayMsMinDefault,
    delayMsMax = retryDelayMsMaxDefault,
  } = options
  if (options.topics !== undefined) {
    const delayMs = options.topics[attempt - 1]
    return delayMs === undefined ? { kind: 'exhausted' } : { kind: 'topic', delayMs }
  }
  if (attempt >= attemptsMax) return { kind: 'exhausted' }
  return { kind: 'retry', delayMs: backoffMs({ attempt, delayMsMin, delayMsMax }, random) }
}
