// `npm run simulate`: the kit under its own simulator, for as long as you like.
//   npm run simulate -- --minutes 10
//   npm run simulate -- --seed 4711 --schedules 1 --scenario orders
import { parseArgs } from 'node:util'
import { type MakeScenario, SimulationFailure, simulate } from '@millrace/testing'
import { ordersScenario, soleServiceScenario, twoInstancesScenario } from './orders.ts'

const scenarios: Readonly<Record<string, MakeScenario>> = {
  sole: soleServiceScenario,
  orders: ordersScenario,
  instances: twoInstancesScenario,
}
/** Between two lines of progress. */
const toldEveryMs = 10_000
/** Schedules of one scenario before the next has its turn. */
const roundSchedules = 200

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    schedules: { type: 'string' },
    minutes: { type: 'string' },
    scenario: { type: 'string' },
  },
})
const minutes = numberOf('minutes', values.minutes)
const schedulesMax = numberOf('schedules', values.schedules) ?? (minutes === null ? 5_000 : null)
// A new seed each time, so that each run looks where no run has looked.
let seed = numberOf('seed', values.seed) ?? Math.floor(Math.random() * 2 ** 31)
const chosen = values.scenario === undefined ? Object.keys(scenarios) : [values.scenario]
const startedAtMs = Date.now()
const over = minutes === null ? undefined : AbortSignal.timeout(minutes * 60_000)
let done = 0
let steps = 0
let toldAtMs = startedAtMs

console.log(`simulating ${chosen.join(', ')} from seed ${seed} on`)
try {
  while (!isOver()) {
    for (const name of chosen) if (!isOver()) await round(name)
  }
  tell()
  console.log('clean')
} catch (error) {
  if (!(error instanceof SimulationFailure)) throw error
  console.error(`\n${error.message}`)
  process.exitCode = 1
}

function isOver(): boolean {
  return over?.aborted === true || (schedulesMax !== null && done >= schedulesMax)
}

async function round(name: string): Promise<void> {
  const make = scenarios[name]
  if (make === undefined) {
    throw new Error(
      `no scenario is named "${name}"; there are ${Object.keys(scenarios).join(', ')}`,
    )
  }
  const schedules = Math.min(roundSchedules, (schedulesMax ?? Number.POSITIVE_INFINITY) - done)
  const before = { done, steps }
  const signal = over === undefined ? {} : { signal: over }
  await simulate(make, {
    ...signal,
    seed,
    schedules,
    progress: (progress) => {
      done = before.done + progress.schedules
      steps = before.steps + progress.steps
      if (Date.now() - toldAtMs >= toldEveryMs) tell()
    },
  })
  seed += schedules
}

function tell(): void {
  toldAtMs = Date.now()
  const seconds = (toldAtMs - startedAtMs) / 1_000
  const rate = (done / seconds).toFixed(0)
  console.log(`${done} schedules, ${steps} steps, ${rate} schedules/s, ${seconds.toFixed(0)} s`)
}

function numberOf(name: string, text: string | undefined): number | null {
  if (text === undefined) return null
  const number = Number(text)
  if (Number.isFinite(number) && number >= 0) return number
  throw new Error(`--${name} is "${text}"; it can be a number`)
}
