import type { Clock, Random, Timer } from '../clock.ts'
import { Breaker, type BreakerState } from '../retry/breaker.ts'
import type { Failure } from '../retry/failure.ts'
import { excusesMax, rampRunsMax } from '../retry/limits.ts'
import type { Delivery } from './delivery.ts'

export interface LaneOptions {
  readonly clock: Clock
  readonly random: Random
  /** Runs of the subscription's handler at once, when all is well. */
  readonly concurrency: number
  /** Called when a probe may begin, or a batch has waited long enough. */
  readonly opened: () => void
  /** For a subscription that handles batches. */
  readonly batch?: { readonly sizeMax: number; readonly waitMsMax: number }
}

/**
 * One subscription's right of way: as many runs at once as it wants, fewer while it comes back
 * from an outage, and one probe at a time during it.
 *
 * L1. What a run met is news only if it began after the breaker opened last.
 * L2. A batch begins when it is full, or when the first that waited for it has done so for
 *     `waitMsMax`: what comes meanwhile does not make the first wait longer.
 */
export class Lane {
  readonly #options: LaneOptions
  readonly #breaker: Breaker
  /** What runs, with the number of the outage after which it began. */
  readonly #running = new Map<object, number>()
  /** Of those, how many have left their place to others already. */
  #released = 0
  /** Of those, how many began after the last outage did. */
  #trials = 0
  #outages = 0
  /** What was handled since the start: a failure that others disproved is known by it. */
  #successes = 0
  #probeTimer: Timer | null = null
  /** Set by the timer, not read from the clock: a timer may fire a moment before its time. */
  #isProbeDue = false
  #batchTimer: Timer | null = null
  #isBatchDue = false
  #isStopped = false

  constructor(options: LaneOptions) {
    this.#options = options
    this.#breaker = new Breaker(options.random, Math.min(options.concurrency, rampRunsMax))
  }

  get state(): BreakerState {
    return this.#breaker.state
  }

  /** How many events one run may take now: a probe is one event, also of a batch. */
  get sizeMax(): number {
    return this.state.kind === 'open' ? 1 : (this.#options.batch?.sizeMax ?? 1)
  }

  get isOpen(): boolean {
    const { state } = this
    switch (state.kind) {
      case 'closed':
        return this.#atWork < this.#options.concurrency
      case 'open':
        return this.#isProbeDue && this.#trials === 0
      case 'ramping':
        return this.#trials < state.runsMax && this.#atWork < this.#options.concurrency
      default:
        return state satisfies never
    }
  }

  /** Whether a batch begins now, where `ready` events wait; asks again when it is time (L2). */
  isBatchReady(ready: number): boolean {
    const { batch, clock, opened } = this.#options
    if (batch === undefined || batch.waitMsMax === 0) return true
    if (ready >= this.sizeMax || this.#isBatchDue) return true
    this.#batchTimer ??= clock.after(batch.waitMsMax, () => {
      this.#batchTimer = null
      this.#isBatchDue = true
      opened()
    })
    return false
  }

  begin(run: object): void {
    this.#running.set(run, this.#outages)
    this.#trials += 1
    this.#isBatchDue = false
    this.#batchTimer?.cancel()
    this.#batchTimer = null
  }

  /** Its handler is done, and another may begin, though what comes of it is not known yet. */
  release(): void {
    this.#released += 1
  }

  end(run: object, { isReleased = false } = {}): void {
    if (isReleased) this.#released -= 1
    if (this.#isTrial(run)) this.#trials -= 1
    this.#running.delete(run)
  }

  succeeded(run: object): void {
    this.#successes += 1
    if (this.state.kind === 'closed' || this.#isTrial(run)) this.#breaker.succeeded()
  }

  /**
   * Whether the failure counts against its event. One that was excused too often, while others
   * were handled, is no evidence any more: it counts.
   */
  failed(delivery: Delivery, failure: Failure, run: object = delivery): 'counted' | 'outage' {
    const { progress, key } = delivery
    if (!failure.isOutage && progress.excuses >= excusesMax) return 'counted'
    const wasOpen = this.state.kind === 'open' ? this.state : null
    const nowMs = this.#options.clock.nowMs()
    const isTrial = this.#isTrial(run)
    const verdict = this.#breaker.failed(key, failure, { nowMs, isTrial })
    if (verdict === 'outage') this.#countExcuse(delivery)
    if (this.state.kind === 'open' && this.state !== wasOpen) this.#probeLater()
    return verdict
  }

  /** Takes back what was counted against a delivery before the outage was known (K2). */
  excuse(delivery: Delivery): void {
    const { state } = this.#breaker
    const { progress } = delivery
    if (state.kind === 'closed' || progress.signature !== state.signature) return
    progress.attempts = 0
    this.#countExcuse(delivery)
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#isStopped = true
    this.#probeTimer?.cancel()
    this.#batchTimer?.cancel()
  }

  get #atWork(): number {
    return this.#running.size - this.#released
  }

  #isTrial(run: object): boolean {
    return this.#running.get(run) === this.#outages
  }

  /** Once as long as nothing is handled: only that others are disproves an outage. */
  #countExcuse({ progress }: Delivery): void {
    if (progress.excusedAt === this.#successes) return
    progress.excusedAt = this.#successes
    progress.excuses += 1
  }

  #probeLater(): void {
    const { clock, opened } = this.#options
    const { state } = this
    this.#outages += 1
    this.#trials = 0
    this.#probeTimer?.cancel()
    this.#isProbeDue = false
    if (state.kind !== 'open' || this.#isStopped) return
    this.#probeTimer = clock.after(state.probeAtMs - clock.nowMs(), () => {
      this.#isProbeDue = true
      opened()
    })
  }
}
