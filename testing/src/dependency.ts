import { inspect } from 'node:util'
import { Outage } from '@millrace/kit'
import type { Agenda } from './agenda.ts'
import { currentRun, type HandlerRun, withinRun } from './outside.ts'

/** Something outside of the simulated services, as a handler calls it. */
export type Dependency<Parameters extends readonly unknown[], Result> = (
  ...parameters: Parameters
) => Promise<Result>

export interface DependencyOptions<Parameters extends readonly unknown[], Result> {
  readonly name: string
  readonly agenda: Agenda
  readonly act: (...parameters: Parameters) => Promise<Result> | Result
  readonly isDown: () => boolean
  /** How long a slow answer takes. */
  readonly slowMs: () => number
}

/** What a failing dependency throws, other than an outage: nobody knows what became of the call. */
export class SimulatedFailure extends Error {
  override readonly name = 'SimulatedFailure'
}

/** An outage's message begins so, by which a parked letter is known to be one's doing (P7). */
export const outageMark = 'simulated outage of'

/**
 * A dependency that is called as a step, and answers as another. A schedule may let it fail
 * before or after the act, be slow, or never answer.
 */
export function openDependency<Parameters extends readonly unknown[], Result>(
  options: DependencyOptions<Parameters, Result>,
): Dependency<Parameters, Result> {
  const { name, agenda, isDown, slowMs } = options
  return (...parameters) => {
    const run = currentRun()
    const life = run?.life ?? null
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const act = (): Promise<Result> => acting(options, run, parameters)
    const answer = (what: string, perform: () => void): void => {
      agenda.add({ life, what: `${what} of ${name}`, perform })
    }
    const hearing = (): void => {
      act().then(
        (result) => answer('hears the answer', () => resolve(result)),
        (error: unknown) => answer('hears the error', () => reject(error)),
      )
    }
    agenda.add({
      life,
      what: `calls ${name}(${parameters.map(describe).join(', ')})`,
      isRisky: true,
      perform: () => {
        if (isDown())
          answer('hears of the outage', () => reject(new Outage(`${outageMark} ${name}`)))
        else hearing()
      },
      troubles: [
        {
          what: 'but the call fails',
          perform: () => answer('hears the error', () => reject(failure(name))),
        },
        {
          what: 'but the answer is lost',
          perform: () => {
            const lost = (): void => answer('hears an error', () => reject(failure(name)))
            act().then(lost, lost)
          },
        },
        {
          what: 'but the answer takes long',
          perform: () => {
            const what = `hears the late answer of ${name}`
            agenda.after(life, slowMs(), { what, fire: hearing })
          },
        },
        {
          what: 'but the answer never comes',
          perform: () => {
            act().catch(() => {})
          },
        },
      ],
    })
    return promise
  }
}

async function acting<Parameters extends readonly unknown[], Result>(
  { act }: DependencyOptions<Parameters, Result>,
  run: HandlerRun | undefined,
  parameters: Parameters,
): Promise<Result> {
  return run === undefined ? act(...parameters) : withinRun(run, () => act(...parameters))
}

function failure(name: string): SimulatedFailure {
  return new SimulatedFailure(`${name} failed, by the simulated schedule`)
}

function describe(parameter: unknown): string {
  const text = typeof parameter === 'string' ? parameter : inspect(parameter, { breakLength: 200 })
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
