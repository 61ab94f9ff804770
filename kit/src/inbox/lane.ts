import type { Clock, Random, Timer } from '../clock.ts'
import { excusesMax } from '../limits.ts'
import { Breaker, type BreakerState } from '../retry/breaker.ts'
import type { Failure } from '../retry/failure.ts'
import type { Delivery } from './delivery.ts'

export interface LaneOptions {
  readonly clock: Clock
  readonly random: Random
  /** Called when a probe may begin. */
  readonly opened: () => void
}

/**
 * One subscription's right of way: open, or closed by an outage but for one probe at a time.
 */
export class Lane {
  readonly #options: LaneOptions
  readonly #breaker: Breaker
  #probe: Delivery | null = null
  #timer: Timer | null = null
  /** Counts the outages; the number of the last one names it. */
  #outages = 0
  #isStopped = false
  /** Set by the timer, not read from the clock: a timer may fire a moment before its time. */
  #isProbeDue = false

  constructor(options: LaneOptions) {
    this.#options = options
    this.#breaker = new Breaker(options.random)
  }

  get state(): BreakerState {
    return this.#breaker.state
  }

  get isOpen(): boolean {
    if (this.#breaker.state.kind === 'closed') return true
    return this.#isProbeDue && this.#probe === null
  }

  begin(delivery: Delivery): void {
    if (this.#breaker.state.kind === 'open') this.#probe = delivery
  }

  end(delivery: Delivery): void {
    if (this.#probe === delivery) this.#probe = null
  }

  succeeded(delivery: Delivery): void {
    const isEvidence = this.#breaker.state.kind === 'closed' || this.#probe === delivery
    if (isEvidence) this.#breaker.succeeded()
  }

  /**
   * Whether the failure counts against its event. One that outages have excused too often, and
   * others have disproved, is no evidence any more: it counts.
   */
  failed(delivery: Delivery, failure: Failure): 'counted' | 'outage' {
    const { progress, key } = delivery
    if (!failure.isOutage && progress.excuses >= excusesMax) return 'counted'
    const nowMs = this.#options.clock.nowMs()
    const isProbe = this.#probe === delivery
    const wasClosed = this.#breaker.state.kind === 'closed'
    const verdict = this.#breaker.failed(key, failure, { nowMs, isProbe })
    if (verdict === 'outage') {
      if (wasClosed) this.#outages += 1
      this.#countExcuse(delivery)
      this.#probeLater()
    }
    return verdict
  }

  /** Takes back what was counted against a delivery before the outage was known (K2). */
  excuse(delivery: Delivery): void {
    const { state } = this.#breaker
    const { progress } = delivery
    if (state.kind !== 'open' || progress.signature !== state.signature) return
    progress.attempts = 0
    this.#countExcuse(delivery)
  }

  /** No probe is waited for any more. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** Once for an outage, however long it lasts: only its end, by another event, disproves it. */
  #countExcuse({ progress }: Delivery): void {
    if (progress.excusedBy === this.#outages) return
    progress.excusedBy = this.#outages
    progress.excuses += 1
  }

  #probeLater(): void {
    const { clock, opened } = this.#options
    const { state } = this.#breaker
    this.#timer?.cancel()
    this.#isProbeDue = false
    if (state.kind === 'closed' || this.#isStopped) return
    this.#timer = clock.after(state.probeAtMs - clock.nowMs(), () => {
      this.#isProbeDue = true
      opened()
    })
  }
}
