import type { Random } from '../clock.ts'
import { breakerKeysMin, probeDelayMsMax, probeDelayMsMin } from '../limits.ts'
import { backoffMs } from './backoff.ts'
import type { Failure } from './failure.ts'

export type BreakerState =
  /** Events flow; `keys` failed alike, by `signature`, and nothing succeeded since. */
  | {
      readonly kind: 'closed'
      readonly signature: string | null
      readonly keys: ReadonlySet<string>
    }
  /** Nothing runs until `probeAtMs`; then one event does. */
  | {
      readonly kind: 'open'
      readonly signature: string
      readonly reason: string
      readonly sinceMs: number
      readonly probes: number
      readonly probeAtMs: number
    }

export interface Occasion {
  readonly nowMs: number
  /** It is the one event that ran while the breaker was open. */
  readonly isProbe: boolean
}

/**
 * Tells an outage from a bad event, for one subscription (P7). Its callers keep events apart by
 * key, and run a single event, the probe, while it is open.
 *
 * K1. It opens at once for a failure that is declared an outage, and when `breakerKeysMin`
 *     distinct keys failed alike with no success in between.
 * K2. A failure that opens it, or is like the one that did while it is open, is not counted
 *     against its event.
 * K3. Only the probe closes it: by success, or by failing unlike (the dependency answers again).
 * K4. A final failure is its event's own, however many fail alike: the dependency has answered.
 */
export class Breaker {
  readonly #random: Random
  #state: BreakerState = closed

  constructor(random: Random) {
    this.#random = random
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Says whether the failure is the event's own, or an outage's (K2). */
  failed(key: string, failure: Failure, { nowMs, isProbe }: Occasion): 'counted' | 'outage' {
    if (failure.isFinal) {
      if (isProbe) this.#state = closed
      return 'counted'
    }
    if (this.#state.kind === 'open') return this.#failedWhileOpen(failure, { nowMs, isProbe })
    const { signature, isOutage } = failure
    const alike = this.#state.signature === signature ? this.#state.keys : new Set<string>()
    const keys = new Set([...alike, key])
    this.#state = { kind: 'closed', signature, keys }
    if (!isOutage && keys.size < breakerKeysMin) return 'counted'
    this.#open(failure, nowMs, 0)
    return 'outage'
  }

  /** An event was handled: one that ran freely, or the probe. */
  succeeded(): void {
    this.#state = closed
  }

  /** True for the failure of an event that was counted before the breaker knew better. */
  isExcused(signature: string): boolean {
    return this.#state.kind === 'open' && this.#state.signature === signature
  }

  #failedWhileOpen(failure: Failure, { nowMs, isProbe }: Occasion): 'counted' | 'outage' {
    if (this.#state.kind !== 'open') return 'counted'
    const isAlike = failure.isOutage || failure.signature === this.#state.signature
    if (isAlike && isProbe) this.#open(failure, nowMs, this.#state.probes + 1)
    if (!isAlike && isProbe) this.#state = closed
    return isAlike ? 'outage' : 'counted'
  }

  #open({ signature, message }: Failure, nowMs: number, probes: number): void {
    const sinceMs = this.#state.kind === 'open' ? this.#state.sinceMs : nowMs
    const step = { attempt: probes + 1, delayMsMin: probeDelayMsMin, delayMsMax: probeDelayMsMax }
    // Half of the step is waited for in any case: an outage is not ended by asking at once.
    const delayMs = backoffMs(step, () => 0.5 + this.#random() / 2)
    const probeAtMs = nowMs + delayMs
    this.#state = { kind: 'open', signature, reason: message, sinceMs, probes, probeAtMs }
  }
}

const closed: BreakerState = { kind: 'closed', signature: null, keys: new Set() }
