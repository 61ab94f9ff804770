import { ApproximateChooser, type Chooser, type Deviation, RecordedChooser } from './decisions.ts'
import { shrinkRunsMax, shrinkStepsMax } from './limits.ts'
import { runSchedule, type ScheduleOptions, type ScheduleResult } from './schedule-run.ts'

export interface Shrunk {
  readonly result: ScheduleResult
  readonly withoutActs: ReadonlySet<number>
  readonly runs: number
}

type Parts = Omit<ScheduleOptions, 'chooser' | 'withoutActs'>

/**
 * Looks for a shorter schedule that breaks the same rule: leaves out acts and what deviates from
 * the orderly way, in halves and smaller, and keeps what still fails. Bounded, so the shortest
 * that it found, not the shortest there is.
 */
export async function shrink(
  parts: Parts,
  failed: ScheduleResult,
  actCount: number,
): Promise<Shrunk> {
  const search = new Search(parts, failed)
  for (let isBetter = true; isBetter; ) {
    isBetter = false
    for (let place = actCount - 1; place >= 0; place -= 1) {
      if (await search.withoutAct(place)) isBetter = true
    }
    let size = Math.ceil(search.deviations / 2)
    for (; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < search.deviations; ) {
        if (await search.withoutDeviations(from, size)) isBetter = true
        else from += size
      }
    }
  }
  return search.best
}

/** The shortest schedule so far, and what is left of the runs. */
class Search {
  best: Shrunk
  readonly #parts: Parts
  readonly #failed: ScheduleResult
  #runs = 0
  #steps = 0

  constructor(parts: Parts, failed: ScheduleResult) {
    this.#parts = parts
    this.#failed = failed
    this.best = { result: failed, withoutActs: new Set(), runs: 0 }
  }

  get deviations(): number {
    return this.best.result.deviations.length
  }

  async withoutAct(place: number): Promise<boolean> {
    const { result, withoutActs } = this.best
    if (withoutActs.has(place)) return false
    const fewer = new Set([...withoutActs, place])
    return (await this.#isCalm(fewer)) && this.#try(result.deviations, fewer)
  }

  async withoutDeviations(from: number, count: number): Promise<boolean> {
    const { result, withoutActs } = this.best
    const { deviations } = result
    const rest = [...deviations.slice(0, from), ...deviations.slice(from + count)]
    return this.#try(rest, withoutActs)
  }

  /** Whether without any accident nothing is broken: what then fails is not for want of an act. */
  async #isCalm(withoutActs: ReadonlySet<number>): Promise<boolean> {
    this.#runs += 1
    const chooser = new RecordedChooser([])
    const { violation, steps } = await runSchedule({ ...this.#parts, chooser, withoutActs })
    this.#steps += steps
    return violation === null
  }

  /** Step by step as it was recorded, and else as near to that as what is left allows. */
  async #try(deviations: readonly Deviation[], withoutActs: ReadonlySet<number>): Promise<boolean> {
    return (
      (await this.#run(new RecordedChooser(deviations), withoutActs)) ||
      this.#run(new ApproximateChooser(deviations), withoutActs)
    )
  }

  /** True where it breaks the same rule, and is shorter. */
  async #run(chooser: Chooser, withoutActs: ReadonlySet<number>): Promise<boolean> {
    if (this.#runs >= shrinkRunsMax || this.#steps >= shrinkStepsMax) return false
    this.#runs += 1
    const result = await runSchedule({ ...this.#parts, chooser, withoutActs })
    this.#steps += result.steps
    if (result.violation?.rule !== this.#failed.violation?.rule) return false
    const { best } = this
    const isShorter =
      result.deviations.length < best.result.deviations.length ||
      withoutActs.size > best.withoutActs.size
    if (isShorter) this.best = { result, withoutActs, runs: this.#runs }
    return isShorter
  }
}
