import { DrawnChooser, RecordedChooser } from './decisions.ts'
import type { FaultName } from './faults.ts'
import { startMs } from './limits.ts'
import { watchOutside } from './outside.ts'
import type { MakeScenario } from './scenario.ts'
import { runSchedule, type ScheduleResult } from './schedule-run.ts'
import { shrink } from './shrink.ts'
import { Templates } from './templates.ts'
import { type TraceLine, writeTrace } from './trace.ts'
import type { Violation } from './verdict.ts'

export interface SimulateOptions {
  /** How many schedules. Default: 200. */
  readonly schedules?: number
  /** The first schedule's seed; the next ones follow. Default: 1, so that a test is the same. */
  readonly seed?: number
  /** Which faults may happen. Default: all. */
  readonly faults?: readonly FaultName[]
  /** Whether a failure is followed by the search for a shorter schedule. Default: true. */
  readonly shrink?: boolean
  /** Called after each schedule. */
  readonly progress?: (done: Progress) => void
  /** Ends early where it is over. */
  readonly signal?: AbortSignal
}

export interface Progress {
  readonly schedules: number
  readonly steps: number
}

export interface SimulationReport {
  readonly schedules: number
  readonly steps: number
}

/** A schedule that broke a promise or an invariant; its message is the whole story. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure'
  readonly seed: number
  readonly rule: string
  readonly #trace: readonly TraceLine[]

  constructor(seed: number, violation: Violation, shortest: Shortest) {
    super(tellFailure(seed, violation, shortest))
    this.seed = seed
    this.rule = violation.rule
    this.#trace = shortest.trace
  }

  /** The shortest schedule that was found, step by step. */
  get trace(): readonly TraceLine[] {
    return this.#trace
  }
}

interface Shortest {
  readonly trace: readonly TraceLine[]
  readonly deviations: number
  readonly isRepeatable: boolean
}

const allFaults: readonly FaultName[] = [
  'crash',
  'stop',
  'pause',
  'rebalance',
  'forget-commits',
  'duplicate',
  'kafka-away',
  'kafka-wiped',
  'disk-full',
  'dependency-down',
  'redrive',
]

/**
 * Runs services through many schedules, each drawn from a seed: the kit's own relay, consumers,
 * retries and parking, on a virtual clock, with a Kafka and databases in memory, and accidents at
 * every step. After each schedule the promises P1 to P7 and the scenario's own invariants must
 * hold. Rejects with a `SimulationFailure` at the first that does not.
 *
 * What is checked is checked at the kit's seams, for these acts and this many schedules; code that
 * waits for something past the seams (a socket, a real timer) is reported and not called clean.
 */
export async function simulate(
  make: MakeScenario,
  options: SimulateOptions = {},
): Promise<SimulationReport> {
  const { schedules = 200, seed: firstSeed = 1, faults = allFaults, progress, signal } = options
  using _watching = watchOutside()
  using templates = new Templates()
  const shared = { make, templates, faults: new Set(faults) }
  let steps = 0
  let done = 0
  for (; done < schedules; done += 1) {
    if (signal?.aborted === true) break
    const seed = firstSeed + done
    const parts = { ...shared, seed }
    const result = await runSchedule({ ...parts, chooser: new DrawnChooser(seed) })
    steps += result.steps
    if (result.violation !== null) throw await failureOf(parts, result, options)
    if (done === 0) await assertRepeatable(parts, result)
    progress?.({ schedules: done + 1, steps })
  }
  return { schedules: done, steps }
}

type Parts = Omit<Parameters<typeof runSchedule>[0], 'chooser'>

async function failureOf(
  parts: Parts,
  result: ScheduleResult,
  { shrink: isToShrink = true }: SimulateOptions,
): Promise<Error> {
  const { seed } = parts
  const again = await runSchedule({ ...parts, chooser: new RecordedChooser(result.deviations) })
  const violation = result.violation ?? { rule: 'none', message: '' }
  const isRepeatable = again.violation?.rule === violation.rule
  if (!isRepeatable) {
    const { trace, deviations } = result
    return new SimulationFailure(seed, violation, {
      trace,
      deviations: deviations.length,
      isRepeatable: (await drawnAgain(parts)).hash === result.hash,
    })
  }
  const unshrunk = { result: again, withoutActs: new Set<number>(), runs: 0 }
  const shrunk = isToShrink ? await shrink(parts, again, actsMax) : unshrunk
  return new SimulationFailure(seed, shrunk.result.violation ?? violation, {
    trace: shrunk.result.trace,
    deviations: shrunk.result.deviations.length,
    isRepeatable,
  })
}

/** A scenario with more acts is a program of its own; the later ones are not left out. */
const actsMax = 30

function drawnAgain(parts: Parts): Promise<ScheduleResult> {
  return runSchedule({ ...parts, chooser: new DrawnChooser(parts.seed) })
}

/** Without it no seed would mean anything. */
async function assertRepeatable(parts: Parts, first: ScheduleResult): Promise<void> {
  const second = await drawnAgain(parts)
  if (second.hash === first.hash) return
  const at = first.trace.findIndex((line, index) => line.what !== second.trace[index]?.what)
  throw new Error(
    `the same seed gave two different schedules, from step ${first.trace[at]?.step} on: ` +
      `"${first.trace[at]?.what}" and then "${second.trace[at]?.what}". A service uses chance or ` +
      'time that is not the simulator’s: take them from its resources',
  )
}

function tellFailure(seed: number, { rule, message }: Violation, shortest: Shortest): string {
  const { trace, deviations, isRepeatable } = shortest
  return [
    `${rule} is broken: ${message}`,
    '',
    `seed ${seed}; simulate(…, { seed: ${seed}, schedules: 1 }) runs it again` +
      (isRepeatable ? '.' : ', but not always alike: a service uses chance or time of its own.'),
    `The shortest schedule found has ${deviations} deviations from the orderly way, marked "!":`,
    '',
    writeTrace(trace, startMs),
  ].join('\n')
}
