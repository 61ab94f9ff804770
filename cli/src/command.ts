import type { Terminal } from './output/terminal.ts'

/**
 * A command as a value: what it takes, what its help says, and what it does. `commands.ts` names
 * them all.
 */
export interface Command {
  /** What stands after the command's name, for the help: `<topic>`. */
  readonly positionals: readonly Positional[]
  readonly options: OptionTable
  /** Paragraphs below the options in the command's help. */
  readonly notes?: readonly string[]
  /** Lines to paste, for the help. */
  readonly examples?: readonly string[]
  run(input: Input, terminal: Terminal): Promise<ExitCode>
}

export type CommandTable = Readonly<Record<string, CommandEntry>>

export interface CommandEntry {
  /** One line for the list of commands. */
  readonly summary: string
  readonly load: () => Promise<Command>
}

export interface Positional {
  readonly name: string
  readonly text: string
  readonly required: boolean
}

export type OptionTable = Readonly<Record<string, Option>>

export interface Option {
  readonly kind: 'flag' | 'text' | 'integer'
  /** What it does, for the help. */
  readonly text: string
  /** One letter: `f` for `-f`. */
  readonly short?: string
  /** What its value is called in the help: `N`. */
  readonly value?: string
  /** Only for `integer`; the smallest that is accepted. Default: 0. */
  readonly min?: number
}

/** What was typed after the command's name, checked against the command's table. */
export interface Input {
  readonly positionals: readonly string[]
  flag(name: string): boolean
  text(name: string): string | undefined
  integer(name: string): number | undefined
}

/** 0: done. 1: it could not be done. 2: the command line itself is wrong. 130: interrupted. */
export type ExitCode = 0 | 1 | 2 | 130

/** The command line itself is wrong; the message says how. Ends the command with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Options that several commands share, so that they mean the same everywhere. */
export const jsonOption: Option = {
  kind: 'flag',
  text: 'print JSON for programs, one value a line',
}

export const brokersOption: Option = {
  kind: 'text',
  value: 'HOST:PORT,…',
  text: 'which Kafka (default: KAFKA_BROKERS, else localhost:9092)',
}

export const yesOption: Option = {
  kind: 'flag',
  short: 'y',
  text: 'do not ask',
}

export const dataOption: Option = {
  kind: 'text',
  value: 'DIR',
  text: 'the data directory (default: .millrace in the current directory)',
}
