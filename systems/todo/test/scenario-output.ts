import { readFile } from 'node:fs/promises'
import { scenario } from '../scenario.ts'

/** What the README says that the scenario prints. */
export async function outputInReadme(): Promise<string> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const shown = /and prints:\n\n```\n([\s\S]*?)```/.exec(readme)?.[1]
  if (shown === undefined) throw new Error('the README shows no output of the scenario')
  return shown
}

/** What it does print, on a Kafka without any topic of the todo system. */
export async function outputOn(brokers: string, databaseUrl = ''): Promise<string> {
  const said: string[] = []
  await scenario({ brokers, databaseUrl, say: (line) => said.push(`${line}\n`) })
  return said.join('')
}
