// Simulate: services under accidents that a seed decides.

export type { Dependency } from './dependency.ts'
export { SimulatedFailure } from './dependency.ts'
export type { FaultName } from './faults.ts'
export type { MakeScenario, Scenario, SimulatedService } from './scenario.ts'
export type { PutAside } from './service-state.ts'
export {
  type Progress,
  type SimulateOptions,
  SimulationFailure,
  type SimulationReport,
  simulate,
} from './simulate.ts'
export type { TraceLine } from './trace.ts'
export type { Act, World } from './world.ts'

// Specify: aggregates and process managers in sentences, without a store.

export { specify } from './given-when-then.ts'
export type { DecidedCommand, GivenEvents } from './specify-aggregate.ts'
export type {
  DecidedProcess,
  ExpectedProcess,
  ExpectedTimer,
  GivenHistory,
  GivenProcess,
  HeardByProcess,
  SpecifyOptions,
} from './specify-process.ts'
