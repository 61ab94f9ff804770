import type { AnyServiceDefinition, Environment } from '@millrace/kit'
import type { Act, World } from './world.ts'

/** Who takes part, what happens, and what must hold. It is made anew for each schedule. */
export interface Scenario {
  readonly services: readonly SimulatedService[]
  /** They begin in this order; how far apart, and whether one waits for another, is chance. */
  readonly acts: readonly Act[]
  /** What must hold in the end, when every event is handled or put aside: each throws if not. */
  readonly invariants?: Readonly<Record<string, () => unknown>>
  /** What must hold after every step. Called often; it must not wait. */
  readonly always?: Readonly<Record<string, () => void>>
}

export type SimulatedService =
  | AnyServiceDefinition
  | {
      readonly service: AnyServiceDefinition
      /** How many run at once. Default: 1. */
      readonly instances?: number
      /** Its variables. Traces are off, unless `MILLRACE_TRACES` turns them on. */
      readonly env?: Environment
    }

export type MakeScenario = (world: World) => Scenario
