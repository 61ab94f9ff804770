import type { Command, CommandTable, Option } from './command.ts'
import { table } from './output/table.ts'

const columns = [{ title: '' }, { title: '' }]

/** What `millrace help` says. */
export function overview(commands: CommandTable): readonly string[] {
  const rows = Object.entries(commands).map(([name, { summary }]) => [`  ${name}`, summary])
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

interface NamedCommand {
  readonly name: string
  readonly summary: string
  readonly command: Command
}

/** What `millrace help <command>` says. */
export function commandHelp({ name, summary, command }: NamedCommand): readonly string[] {
  const { positionals, options, notes = [], examples = [] } = command
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
    ...notes.flatMap((note) => ['', ...wrap(note)]),
    ...(examples.length === 0 ? [] : ['', ...examples.map((example) => `  ${example}`)]),
  ]
}

function optionWord(name: string, { short, value }: Option): string {
  const letter = short === undefined ? '' : `-${short}, `
  return `${letter}--${name}${value === undefined ? '' : ` ${value}`}`
}

/** A paragraph in lines that every terminal shows whole. */
function wrap(text: string): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > noteColumns) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

const noteColumns = 80
