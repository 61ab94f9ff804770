import { readFile } from 'node:fs/promises'
import type { AnyServiceDefinition, Environment, Observer } from '@millrace/kit'
import { scenario } from '../scenario.ts'
import { startDreamscape } from './start-dreamscape.ts'

/** What the README says that the scenario prints. */
export async function outputInReadme(): Promise<string> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const shown = /and prints:\n\n```\n([\s\S]*?)```/.exec(readme)?.[1]
  if (shown === undefined) throw new Error('the README shows no output of the scenario')
  return shown
}

export interface ScenarioRun {
  readonly output: string
  /** What was handled, without an error: `dreamscape-ai-service auth.logout`. */
  readonly handled: ReadonlySet<string>
}

/** Runs the scenario on a Kafka, and perhaps a database, without anything of DreamScape. */
export async function runScenario(env: Environment): Promise<ScenarioRun> {
  const said: string[] = []
  const handled = new Set<string>()
  const observerOf = ({ name }: AnyServiceDefinition): Observer => ({
    attempted({ deliveries }, outcome) {
      if (outcome.kind !== 'handled') return
      for (const { event } of deliveries) handled.add(`${name} ${event.eventType}`)
    },
  })
  await using dreamscape = await startDreamscape({ env, observerOf })
  await scenario(dreamscape, (line) => said.push(`${line}\n`))
  return { output: said.join(''), handled }
}
