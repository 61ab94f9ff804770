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
