import type { Operation } from './agenda.ts'
import {
  type Chooser,
  type Decision,
  type Deviation,
  isOrderly,
  nameOf,
  orderly,
  type Situation,
} from './decisions.ts'
import { settleMsMax, stepsMax, stillMsMax } from './limits.ts'
import { checkOutages, leftToDo, waitsForRetryMark } from './settled.ts'
import { SimulatedSystem, type SystemOptions } from './simulated-system.ts'
import { Trace, type TraceLine } from './trace.ts'
import type { Violation } from './verdict.ts'
import type { Act } from './world.ts'

export interface ScheduleOptions extends Omit<SystemOptions, 'note'> {
  readonly chooser: Chooser
  /** Acts that are left out, by their place: what a shorter schedule does without. */
  readonly withoutActs?: ReadonlySet<number>
}

export interface ScheduleResult {
  readonly violation: Violation | null
  readonly steps: number
  readonly deviations: readonly Deviation[]
  readonly trace: readonly TraceLine[]
  /** Equal for equal runs. */
  readonly hash: number
}

/** Runs one schedule to its end, or to the first thing that is wrong. */
export async function runSchedule(options: ScheduleOptions): Promise<ScheduleResult> {
  const trace = new Trace()
  const run = new ScheduleRun(trace, options)
  await run.play()
  const { violation, steps, deviations } = run
  return { violation, steps, deviations, trace: trace.lines, hash: trace.hash }
}

/**
 * One schedule, step by step. A step is taken only when all that the last one set in motion waits
 * again, so that at each step the whole system stands still, and may be struck down.
 */
class ScheduleRun {
  violation: Violation | null = null
  steps = 0
  readonly deviations: Deviation[] = []
  readonly #trace: Trace
  readonly #options: ScheduleOptions
  #acts: readonly Act[] = []
  #chooser: Chooser | null
  #healedAtMs = 0
  /** What was left to do when it last changed, and when that was. */
  #left = ''
  #changedAtMs = 0

  constructor(trace: Trace, options: ScheduleOptions) {
    this.#trace = trace
    this.#options = options
    this.#chooser = options.chooser
  }

  async play(): Promise<void> {
    let system: SimulatedSystem | undefined
    system = await SimulatedSystem.open({
      ...this.#options,
      note: (life, what) => this.#tell(system?.agenda.nowMs ?? 0, life.name, what),
    })
    using playing = system
    const { withoutActs = new Set() } = this.#options
    this.#acts = playing.scenario.acts.filter((_, place) => !withoutActs.has(place))
    while (this.violation === null) {
      await nextTurn()
      this.#checkAlways(playing)
      this.violation = playing.verdict.violation
      if (this.violation !== null || !this.#step(playing)) break
    }
    if (this.violation === null) await this.#checkInvariants(playing)
  }

  /** False when all is done. */
  #step(system: SimulatedSystem): boolean {
    const { agenda, faults } = system
    const ready = agenda.ready()
    const situation: Situation = {
      ready,
      hasAct: this.#acts.length > 0,
      hasTimer: agenda.hasTimer(),
      faults: () => faults.possible(),
    }
    const decision = this.#decide(situation, agenda.nowMs)
    if (this.#chooser === null && ready.length === 0 && this.#isSettled(system, decision))
      return false
    if (decision === null) return true
    this.steps += 1
    if (this.steps > stepsMax) {
      system.verdict.violated('P6', `it goes on and on: ${stepsMax} steps, and no end`)
    }
    this.#perform(system, situation, decision)
    return true
  }

  #decide(situation: Situation, nowMs: number): Decision | null {
    const chosen = this.#chooser?.choose(this.steps + 1, situation) ?? null
    if (chosen === null && this.#chooser !== null) {
      this.#chooser = null
      this.#healedAtMs = nowMs
    }
    return chosen ?? orderly(situation)
  }

  /** All is done; or something never will be, which is a violation. */
  #isSettled(system: SimulatedSystem, decision: Decision | null): boolean {
    checkOutages(system)
    const left = leftToDo(system)
    if (left.length === 0) return true
    const { nowMs } = system.agenda
    if (left.join() !== this.#left) this.#changedAtMs = nowMs
    this.#left = left.join()
    const waitsForRetry = left.some((one) => one.includes(waitsForRetryMark))
    const isStuck =
      decision === null ||
      (!waitsForRetry && nowMs - this.#changedAtMs > stillMsMax) ||
      nowMs - this.#healedAtMs > settleMsMax
    if (isStuck) {
      const list = left.slice(0, 5).join('; ')
      system.verdict.violated('P6', `nothing goes wrong any more, and this is left: ${list}`)
    }
    return false
  }

  #perform(system: SimulatedSystem, situation: Situation, decision: Decision): void {
    const isDeviation = !isOrderly(decision, situation)
    const chosen = decision.kind === 'operation' ? situation.ready[decision.index] : undefined
    const name = chosen === undefined ? null : nameOf(chosen)
    if (isDeviation) this.deviations.push({ step: this.steps, decision, name })
    const { agenda, faults } = system
    const tell = (who: string | null, what: string): void =>
      this.#tell(agenda.nowMs, who, what, isDeviation)
    switch (decision.kind) {
      case 'operation': {
        const operation = situation.ready[decision.index]
        if (operation === undefined) return
        agenda.take(operation)
        const trouble = decision.trouble === null ? null : operation.troubles?.[decision.trouble]
        tell(whoOf(operation), `${operation.what}${trouble == null ? '' : `, ${trouble.what}`}`)
        if (trouble == null) operation.perform()
        else trouble.perform()
        return
      }
      case 'act': {
        const [act, ...later] = this.#acts
        this.#acts = later
        tell(null, act?.name ?? '')
        act?.run().catch((error: unknown) => tell(null, `${act.name}: ${String(error)}`))
        return
      }
      case 'time': {
        const timer = agenda.takeTimer()
        if (timer !== null) tell(whoOf(timer), timer.what)
        timer?.perform()
        return
      }
      case 'fault':
        tell(null, `FAULT ${decision.fault}`)
        faults.happen(decision.fault)
        return
      default:
        decision satisfies never
    }
  }

  #tell(nowMs: number, who: string | null, what: string, isDeviation = false): void {
    this.#trace.add({ step: this.steps, nowMs, who, what, isDeviation })
  }

  #checkAlways({ scenario, verdict }: SimulatedSystem): void {
    for (const [name, check] of Object.entries(scenario.always ?? {})) {
      try {
        check()
      } catch (error) {
        verdict.violated(name, messageOf(error))
      }
    }
  }

  async #checkInvariants({ scenario }: SimulatedSystem): Promise<void> {
    for (const [name, check] of Object.entries(scenario.invariants ?? {})) {
      try {
        await check()
      } catch (error) {
        this.violation ??= { rule: name, message: messageOf(error) }
      }
    }
  }
}

/** Lets all that is under way run until it waits: promises, and nothing else, run in between. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function whoOf({ life }: Pick<Operation, 'life'>): string | null {
  return life?.name ?? null
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
