import type { Clock } from '../clock.ts'
import {
  sharedFailuresMax,
  sharedInterferedMs,
  sharedKindsMax,
  sharedMemory,
  sharedSlowMs,
} from '../limits.ts'
import type { Sharing } from './shared-transaction.ts'

interface Kind {
  /** The part of the last many that failed, the latest counting most. */
  failures: number
  /** True once it failed too often, until it fails half as often. */
  isFailing: boolean
  aloneUntilMs: number
}

/**
 * Which kinds of handlers share transactions well. One that fails often costs its neighbours
 * their work, one that is slow their time; both are alone for a while, and come back.
 */
export class SharingRecord {
  readonly #clock: Clock
  readonly #kinds = new Map<string, Kind>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  admits(kind: string): boolean {
    const known = this.#kinds.get(kind)
    if (known === undefined) return this.#kinds.size < sharedKindsMax
    return !known.isFailing && this.#clock.nowMs() >= known.aloneUntilMs
  }

  note(kind: string, how: Sharing): void {
    const known = this.#kinds.get(kind) ?? { failures: 0, isFailing: false, aloneUntilMs: 0 }
    if (this.#kinds.size < sharedKindsMax) this.#kinds.set(kind, known)
    const failed = how === 'failed' ? 1 : 0
    known.failures += (failed - known.failures) / sharedMemory
    if (known.failures > sharedFailuresMax) known.isFailing = true
    else if (known.failures < sharedFailuresMax / 2) known.isFailing = false
    if (how === 'slow') this.#alone(known, sharedSlowMs)
    if (how === 'interfered') this.#alone(known, sharedInterferedMs)
  }

  #alone(kind: Kind, forMs: number): void {
    kind.aloneUntilMs = Math.max(kind.aloneUntilMs, this.#clock.nowMs() + forMs)
  }
}
