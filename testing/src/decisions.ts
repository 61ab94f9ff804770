import type { Random } from '@millrace/kit'
import type { Operation } from './agenda.ts'
import { chanceOf, drawBelow, drawOne, seedFor } from './chance.ts'
import {
  actStepsMax,
  chaosStepsMax,
  chaosStepsMin,
  lateStepsMax,
  quietMax,
  riskyTimes,
} from './limits.ts'

/** What happens next, of all that could. */
export type Decision =
  | { readonly kind: 'operation'; readonly index: number; readonly trouble: number | null }
  | { readonly kind: 'act' }
  | { readonly kind: 'time' }
  | { readonly kind: 'fault'; readonly fault: string }

/** What could happen at one step. */
export interface Situation {
  readonly ready: readonly Operation[]
  /** An act of the scenario has not begun. */
  readonly hasAct: boolean
  readonly hasTimer: boolean
  /** By name, as `Faults` knows them. */
  readonly faults: () => readonly string[]
}

/** A decision that is not the orderly one. These are what a schedule is made of. */
export interface Deviation {
  readonly step: number
  readonly decision: Decision
  /** Of the operation, by which it is found again where the steps before it are others. */
  readonly name: string | null
}

/** Decides for as long as there is chaos; then the world heals. */
export interface Chooser {
  /** Null ends the chaos. */
  choose(step: number, situation: Situation): Decision | null
}

/** First come, first served; a new act when all is quiet; time passes when nobody acts. */
export function orderly({ ready, hasAct, hasTimer }: Situation): Decision | null {
  if (ready.length > 0) return { kind: 'operation', index: 0, trouble: null }
  if (hasAct) return { kind: 'act' }
  return hasTimer ? { kind: 'time' } : null
}

export function isOrderly(decision: Decision, situation: Situation): boolean {
  const usual = orderly(situation)
  if (decision.kind === 'operation') {
    return usual?.kind === 'operation' && decision.index === 0 && decision.trouble === null
  }
  return decision.kind !== 'fault' && decision.kind === usual?.kind
}

/** How wild a schedule is; drawn anew for each, so that calm and wild ones both happen. */
interface Temper {
  /** How often another than the first operation is next. */
  readonly disorder: number
  /** How often time passes though somebody could act. */
  readonly haste: number
  /** How often an act begins though others are under way. */
  readonly eagerness: number
  /** How often an operation goes wrong, and how often at most. */
  readonly trouble: number
  readonly troublesMax: number
  readonly steps: number
}

/** A schedule drawn from a seed. */
export class DrawnChooser implements Chooser {
  readonly #random: Random
  readonly #temper: Temper
  /** The steps at which something strikes, spread over the schedule. */
  readonly #faultSteps: ReadonlySet<number>
  #troubles = 0
  /** Steps at which nobody had anything to do. */
  #quiet = 0
  readonly #isUnwanted = new Map<string, boolean>()

  constructor(seed: number) {
    this.#random = chanceOf(seedFor(seed, 'decisions'))
    const random = this.#random
    const steps = chaosStepsMin + drawBelow(random, chaosStepsMax - chaosStepsMin)
    this.#temper = {
      disorder: drawOne(random, [0, 0.05, 0.3, 1]),
      haste: drawOne(random, [0, 0.01, 0.05]),
      eagerness: drawOne(random, [0.02, 0.1, 0.5]),
      trouble: drawOne(random, [0, 0.02, 0.1, 0.3]),
      troublesMax: drawOne(random, [1, 2, 4]),
      steps,
    }
    const faults = drawOne(random, [0, 1, 2, 3, 5])
    this.#faultSteps = new Set(Array.from({ length: faults }, () => drawBelow(random, steps)))
  }

  choose(step: number, situation: Situation): Decision | null {
    const { steps, haste, eagerness } = this.#temper
    if (step >= actStepsMax || (step >= steps && !situation.hasAct)) return null
    if (situation.ready.length === 0 && !situation.hasAct) this.#quiet += 1
    if (this.#quiet > quietMax) return null
    const random = this.#random
    if (this.#faultSteps.has(step)) {
      const decision = this.#fault(situation)
      if (decision !== null) return decision
    }
    if (situation.hasAct && random() < eagerness) return { kind: 'act' }
    if (situation.hasTimer && random() < haste) return { kind: 'time' }
    return situation.ready.length === 0 ? orderly(situation) : this.#operation(situation.ready)
  }

  #operation(ready: readonly Operation[]): Decision {
    const random = this.#random
    const { disorder, trouble: often, troublesMax } = this.#temper
    const index = random() < disorder ? drawBelow(random, ready.length) : 0
    const { troubles = [], isRisky = false } = ready[index] ?? {}
    const chance = isRisky ? Math.min(often * riskyTimes, 0.5) : often
    const isTroubled = troubles.length > 0 && this.#troubles < troublesMax && random() < chance
    if (isTroubled) this.#troubles += 1
    const trouble = isTroubled ? drawBelow(random, troubles.length) : null
    return { kind: 'operation', index, trouble }
  }

  #fault({ faults }: Situation): Decision | null {
    const [first, ...others] = faults().filter((name) => this.#isWanted(name))
    if (first === undefined) return null
    return { kind: 'fault', fault: drawOne(this.#random, [first, ...others]) }
  }

  /** Each schedule leaves out some kinds of faults, so that the others meet more often. */
  #isWanted(name: string): boolean {
    const [kind = name] = name.split(' ')
    const known = this.#isUnwanted.get(kind) ?? this.#random() < 0.4
    this.#isUnwanted.set(kind, known)
    return !known
  }
}

/** What an operation is called, whichever event it is about. */
export function nameOf({ life, what }: Operation): string {
  return `${life?.name ?? ''} ${what}`
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    .replaceAll(/\d+/g, '…')
}

/** A schedule that was recorded. */
export class RecordedChooser implements Chooser {
  readonly #decisions: ReadonlyMap<number, Decision>
  readonly #last: number

  constructor(deviations: readonly Deviation[]) {
    this.#decisions = new Map(deviations.map(({ step, decision }) => [step, decision]))
    this.#last = Math.max(0, ...this.#decisions.keys())
  }

  choose(step: number, situation: Situation): Decision | null {
    const decision = this.#decisions.get(step)
    if (decision !== undefined && isPossible(decision, situation)) return decision
    if (step > this.#last && !situation.hasAct) return null
    return orderly(situation)
  }
}

/**
 * What is left of a recorded schedule when some of it was taken out: the same deviations in the
 * same order, each when its operation comes up again, as far as the steps before it have moved.
 */
export class ApproximateChooser implements Chooser {
  readonly #left: Deviation[]
  /** By how much the last one came earlier or later than it was recorded. */
  #shift = 0

  constructor(deviations: readonly Deviation[]) {
    this.#left = [...deviations]
  }

  choose(step: number, situation: Situation): Decision | null {
    for (;;) {
      const [next] = this.#left
      if (next === undefined) return situation.hasAct ? orderly(situation) : null
      const decision = this.#now(step, next, situation)
      const isLate = step > next.step + this.#shift + lateStepsMax
      if (decision === null && !isLate) return orderly(situation)
      this.#left.shift()
      if (decision === null) continue
      this.#shift = step - next.step
      return decision
    }
  }

  #now(step: number, { step: recorded, decision, name }: Deviation, situation: Situation) {
    if (decision.kind !== 'operation') {
      return step >= recorded + this.#shift && isPossible(decision, situation) ? decision : null
    }
    if (step < recorded + this.#shift - lateStepsMax) return null
    const index = situation.ready.findIndex((operation) => nameOf(operation) === name)
    const moved = { ...decision, index }
    return index >= 0 && isPossible(moved, situation) ? moved : null
  }
}

function isPossible(decision: Decision, situation: Situation): boolean {
  switch (decision.kind) {
    case 'operation': {
      const { troubles = [] } = situation.ready[decision.index] ?? {}
      const hasTrouble = decision.trouble === null || decision.trouble < troubles.length
      return decision.index < situation.ready.length && hasTrouble
    }
    case 'act':
      return situation.hasAct
    case 'time':
      return situation.hasTimer
    case 'fault':
      return situation.faults().includes(decision.fault)
    default:
      return decision satisfies never
  }
}
