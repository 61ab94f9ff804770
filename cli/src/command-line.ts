import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type CommandEntry, type CommandTable, type ExitCode, UsageError } from './command.ts'
import { failureLines } from './failure.ts'
import { commandHelp, overview } from './help.ts'
import { nearest } from './nearest.ts'
import { readerGone, type Terminal } from './output/terminal.ts'
import { readInput } from './read-input.ts'

/**
 * Runs what was typed. A wrong command line is one line on standard error and exit code 2; what
 * could not be done is said in as many lines as there are reasons, with exit code 1.
 */
export async function runCommandLine(
  argv: readonly string[],
  table: CommandTable,
  terminal: Terminal,
): Promise<ExitCode> {
  const [name = 'help', ...rest] = argv
  if (name === '--version' || name === '-v') {
    await terminal.print(await version())
    return 0
  }
  if (['help', '--help', '-h'].includes(name)) return help(rest[0], table, terminal)
  try {
    const { load } = find(name, table)
    if (asksForHelp(rest)) return await help(name, table, terminal)
    const command = await load()
    return await command.run(readInput(command, rest), terminal)
  } catch (error) {
    return report(error, Object.hasOwn(table, name) ? name : 'help', terminal)
  }
}

async function help(
  name: string | undefined,
  table: CommandTable,
  terminal: Terminal,
): Promise<ExitCode> {
  try {
    for (const line of await helpLines(name, table)) await terminal.print(line)
    return 0
  } catch (error) {
    return report(error, 'help', terminal)
  }
}

/** What stands behind `--` is an argument, not a wish for help. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.some((word, index) => (end < 0 || index < end) && ['--help', '-h'].includes(word))
}

async function helpLines(name: string | undefined, table: CommandTable) {
  if (name === undefined) return overview(table)
  const { summary, load } = find(name, table)
  return commandHelp({ name, summary, command: await load() })
}

function find(name: string, table: CommandTable): CommandEntry {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined
  if (entry) return entry
  const guess = nearest(name, Object.keys(table))
  const now = guess === undefined ? '"millrace help" lists them' : `did you mean "${guess}"?`
  throw new UsageError(`there is no command "${name}"; ${now}`)
}

function report(error: unknown, name: string, terminal: Terminal): ExitCode {
  if (error instanceof UsageError) {
    const more = name === 'help' ? '' : ` (millrace help ${name})`
    terminal.note(`millrace: ${error.message}${more}`)
    return 2
  }
  // Whoever interrupted it, or closed the pipe, needs no explanation.
  if (terminal.interrupted.aborted) return terminal.interrupted.reason === readerGone ? 0 : 130
  for (const line of failureLines(error)) terminal.note(line)
  return 1
}

async function version(): Promise<string> {
  // In the repository it stands one level above the sources, in the package beside them.
  const places = ['./package.json', '../package.json'].map((path) => new URL(path, import.meta.url))
  const place = places.find((url) => existsSync(url))
  if (place === undefined) return 'unknown'
  const text = await readFile(place, 'utf8')
  const about: unknown = JSON.parse(text)
  const isNamed = typeof about === 'object' && about !== null && 'version' in about
  return isNamed ? String(about.version) : 'unknown'
}
