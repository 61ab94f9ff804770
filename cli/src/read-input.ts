import { parseArgs } from 'node:util'
import { type Command, type Input, type Option, type OptionTable, UsageError } from './command.ts'
import { nearest } from './nearest.ts'

/**
 * Checks what was typed after a command's name against the command's table.
 * @throws UsageError for an unknown or repeated option, a bad or missing value, and for too few
 * or too many arguments
 */
export function readInput(command: Command, argv: readonly string[]): Input {
  const values = new Map<string, string | true>()
  const positionals: string[] = []
  for (const token of tokensOf(argv, command.options)) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const option = optionNamed(token, command.options)
    if (values.has(token.name)) throw new UsageError(`${token.rawName} is given twice`)
    values.set(token.name, givenValue(token, option))
  }
  checkPositionals(command, positionals)
  return inputOf(command.options, positionals, values)
}

type Token = ReturnType<typeof tokensOf>[number]
type OptionToken = Extract<Token, { kind: 'option' }>

function tokensOf(argv: readonly string[], table: OptionTable) {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { kind, short }]) => [
      name,
      {
        type: kind === 'flag' ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  )
  const parsed = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  return parsed.tokens
}

function optionNamed({ name, rawName }: OptionToken, table: OptionTable): Option {
  const option = Object.hasOwn(table, name) ? table[name] : undefined
  if (option) return option
  const guess = nearest(name, Object.keys(table))
  throw new UsageError(
    `there is no option ${rawName}${guess === undefined ? '' : `; did you mean --${guess}?`}`,
  )
}

function givenValue({ rawName, value }: OptionToken, option: Option): string | true {
  if (option.kind === 'flag') {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`)
    return true
  }
  if (value === undefined || value === '') {
    throw new UsageError(`${rawName} needs a value: ${rawName} ${option.value ?? 'VALUE'}`)
  }
  if (option.kind === 'integer') checkInteger(rawName, value, option.min ?? 0)
  return value
}

function checkInteger(rawName: string, value: string, min: number): void {
  const number = Number(value)
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < min) {
    throw new UsageError(`${rawName} is a whole number from ${min} on, not "${value}"`)
  }
}

function checkPositionals({ positionals }: Command, given: readonly string[]): void {
  const missing = positionals.find(({ required }, index) => required && given.length <= index)
  if (missing) throw new UsageError(`<${missing.name}> is missing: ${missing.text}`)
  const extra = given[positionals.length]
  if (extra !== undefined) throw new UsageError(`"${extra}" is one argument too many`)
}

function inputOf(
  table: OptionTable,
  positionals: readonly string[],
  values: ReadonlyMap<string, string | true>,
): Input {
  const read = (name: string, kind: Option['kind']) => {
    if (table[name]?.kind !== kind) throw new Error(`no ${kind} option is named "${name}"`)
    return values.get(name)
  }
  const textOf = (value: string | true | undefined) => (value === true ? undefined : value)
  return {
    positionals,
    flag: (name) => read(name, 'flag') === true,
    text: (name) => textOf(read(name, 'text')),
    integer: (name) => {
      const value = textOf(read(name, 'integer'))
      return value === undefined ? undefined : Number(value)
    },
  }
}
