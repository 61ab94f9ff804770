import { reconnectDelayMsMax, reconnectDelayMsMin } from '../limits.ts'
import { backoffMs } from '../retry/backoff.ts'

/** How long to wait before Kafka is tried again. */
export function reconnectMs(attempt: number): number {
  const step = { attempt, delayMsMin: reconnectDelayMsMin, delayMsMax: reconnectDelayMsMax }
  return reconnectDelayMsMin + backoffMs(step, Math.random)
}
