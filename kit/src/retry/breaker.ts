import type { Random } from '../clock.ts'
import { backoffMs } from './backoff.ts'
import type { Failure } from './failure.ts'
import { breakerEvidenceMax, breakerKeysMin, probeDelayMsMax, probeDelayMsMin } from './limits.ts'

export type BreakerState =
  /** Events flow. */
  | { readonly kind: 'closed' }
  /** Nothing runs until `probeAtMs`; then one event does. */
  | ({ readonly kind: 'open'; readonly probes: number; readonly probeAtMs: number } & OutageState)
  /** The dependency answers again, or does in part: at most `runsMax` events run at once. */
  | ({ readonly kind: 'ramping'; readonly runsMax: number } & OutageState)

interface OutageState {
  readonly signature: string
  readonly reason: string
  readonly sinceMs: number
}

export interface Occasion {
  readonly nowMs: number
  /** It began after the breaker opened last: what it met is news. */
  readonly isTrial: boolean
}

/**
 * Tells an outage from a bad event, for one subscription (P7). Its callers keep events apart by
 * key, and run no more events at once than it allows.
 *
 * K1. It opens at once for a failure that is declared an outage, and when `breakerKeysMin`
 *     distinct keys failed alike with no success in between.
 * K2. A failure that opens it, or is like the one that did until it is closed, is not counted
 *     against its event.
 * K3. Only trials bring it back: each answer of the dependency (a success, or a failure of another
 *     kind) lets one more event run, so their number doubles with each round; each failure alike
 *     halves it, down to a single probe after a pause. At `runsMax` it is closed.
 * K4. A final failure is its event's own, however many fail alike: the dependency has answered.
 */
export class Breaker {
  readonly #random: Random
  readonly #runsMax: number
  #state: BreakerState = closed
  /** The keys that failed, by signature, with no success since. */
  readonly #evidence = new Map<string, Set<string>>()

  /** `runsMax`: when so many events at once are answered, all is well. */
  constructor(random: Random, runsMax: number) {
    this.#random = random
    this.#runsMax = runsMax
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Says whether the failure is the event's own, or an outage's (K2). */
  failed(key: string, failure: Failure, { nowMs, isTrial }: Occasion): 'counted' | 'outage' {
    const state = this.#state
    if (failure.isFinal) {
      if (isTrial) this.#answered()
      return 'counted'
    }
    const isAlike =
      state.kind !== 'closed' && (failure.isOutage || failure.signature === state.signature)
    if (isAlike) {
      if (isTrial) this.#failedTrial(state, failure, nowMs)
      return 'outage'
    }
    const isEvident = this.#addEvidence(key, failure.signature)
    if (failure.isOutage || isEvident) {
      this.#open(failure, nowMs, 0)
      return 'outage'
    }
    if (isTrial) this.#answered()
    return 'counted'
  }

  /** An event was handled: one that ran freely, or a trial. */
  succeeded(): void {
    this.#evidence.clear()
    this.#answered()
  }

  #answered(): void {
    const state = this.#state
    if (state.kind === 'closed') return
    const runsMax = state.kind === 'open' ? 2 : state.runsMax + 1
    const { signature, reason, sinceMs } = state
    if (runsMax > this.#runsMax) this.#state = closed
    else this.#state = { kind: 'ramping', signature, reason, sinceMs, runsMax }
  }

  #failedTrial(state: Exclude<BreakerState, typeof closed>, failure: Failure, nowMs: number): void {
    if (state.kind === 'open') {
      this.#open(failure, nowMs, state.probes + 1)
      return
    }
    const runsMax = Math.floor(state.runsMax / 2)
    // One at a time without a pause would be a loop, where an event is answered and then fails.
    if (runsMax <= 1) this.#open(failure, nowMs, 0)
    else this.#state = { ...state, runsMax }
  }

  /** True where as many distinct keys failed alike as are no coincidence. */
  #addEvidence(key: string, signature: string): boolean {
    const keys = this.#evidence.get(signature) ?? new Set()
    this.#evidence.delete(signature)
    this.#evidence.set(signature, keys.add(key))
    const [oldest] = this.#evidence.keys()
    if (this.#evidence.size > breakerEvidenceMax && oldest !== undefined) {
      this.#evidence.delete(oldest)
    }
    return keys.size >= breakerKeysMin
  }

  #open({ signature, message }: Failure, nowMs: number, probes: number): void {
    this.#evidence.clear()
    const sinceMs = this.#state.kind === 'closed' ? nowMs : this.#state.sinceMs
    const step = { attempt: probes + 1, delayMsMin: probeDelayMsMin, delayMsMax: probeDelayMsMax }
    // Half of the step is waited for in any case: an outage is not ended by asking at once.
    const delayMs = backoffMs(step, () => 0.5 + this.#random() / 2)
    const probeAtMs = nowMs + delayMs
    this.#state = { kind: 'open', signature, reason: message, sinceMs, probes, probeAtMs }
  }
}

const closed = { kind: 'closed' } as const
