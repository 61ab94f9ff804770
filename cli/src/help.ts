import type { Command, Option } from './command.ts'
import type { CommandTable } from './command-line.ts'
import { table } from './output/table.ts'

const columns = [{ title: '' }, { title: '' }]

/** What `millrace help` says. */
export async function overview(commands: CommandTable): Promise<readonly string[]> {
  const rows = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => [`  ${name}`, (await load()).summary]),
  )
  return [
    'millrace: start and operate event-driven systems on Kafka',
    '',
    'millrace <command> [options]',
    '',
    ...table(columns, rows),
    '',
    'millrace help <command> says more of one; millrace --version says which this is.',
    'Exit codes: 0 done, 1 it could not be done, 2 the command line is wrong, 130 interrupted.',
  ]
}

/** What `millrace help <command>` says. */
export function commandHelp(name: string, command: Command): readonly string[] {
  const { summary, positionals, options, notes = [], examples = [] } = command
  const words = positionals.map((one) => (one.required ? `<${one.name}>` : `[${one.name}]`))
  const rows = [
    ...positionals.map((one) => [`  ${one.name}`, one.text]),
    ...Object.entries(options).map(([option, spec]) => [
      `  ${optionWord(option, spec)}`,
      spec.text,
    ]),
  ]
  return [
    summary,
    '',
    ['millrace', name, ...words, '[options]'].join(' '),
    '',
    ...table(columns, rows),
    ...notes.flatMap((note) => ['', note]),
    ...(examples.length === 0 ? [] : ['', ...examples.map((example) => `  ${example}`)]),
  ]
}

function optionWord(name: string, { short, value }: Option): string {
  const letter = short === undefined ? '' : `-${short}, `
  return `${letter}--${name}${value === undefined ? '' : ` ${value}`}`
}
