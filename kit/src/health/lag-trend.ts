import { lagGrowthToldMin, lagTrendMs, lagTrendReadingsMax } from '../observe/limits.ts'

export interface LagReading {
  readonly atMs: number
  readonly lag: number
}

/**
 * Whether a group falls behind: not that it is behind, but that it gets further behind. It takes
 * readings from whoever asks for the lag, and needs them over `lagTrendMs` before it says so.
 */
export class LagTrend {
  #readings: readonly LagReading[] = []

  add(reading: LagReading): void {
    const kept = this.#readings.filter(({ atMs }) => atMs > reading.atMs - 2 * lagTrendMs)
    const last = kept.at(-1)
    const stepMs = lagTrendMs / lagTrendReadingsMax
    if (last !== undefined && reading.atMs - last.atMs < stepMs) return
    this.#readings = [...kept, reading]
  }

  /** By how many records a second it grows, or null where it does not, or not for long enough. */
  get growthPerSecond(): number | null {
    const first = this.#readings[0]
    const last = this.#readings.at(-1)
    if (first === undefined || last === undefined) return null
    const overMs = last.atMs - first.atMs
    if (overMs < lagTrendMs || last.lag - first.lag < lagGrowthToldMin) return null
    // A burst that is being worked off has its peak behind it.
    const isAtItsPeak = this.#readings.every(({ lag }) => lag <= last.lag)
    return isAtItsPeak ? ((last.lag - first.lag) * 1_000) / overMs : null
  }
}
