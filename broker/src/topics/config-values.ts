// What the value of a config may be. Values are text on the wire and in the journal.

/** Kafka's numbers for types of configs. */
export const configTypes = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const

export type ConfigType = keyof typeof configTypes

/** The type of a config, Kafka's default for it, and what is wrong with a value. */
export interface ConfigValue {
  readonly type: ConfigType
  readonly fallback: string
  /** A sentence without its subject; `undefined` when nothing is wrong. */
  readonly problemWith: (value: string) => string | undefined
}

const intMax = 2_147_483_647n
export const longMax = 9_223_372_036_854_775_807n

export function int(fallback: bigint, min: bigint): ConfigValue {
  return { type: 'int', ...integer(fallback, { min, max: intMax }) }
}

export function long(fallback: bigint, min = -longMax - 1n): ConfigValue {
  return { type: 'long', ...integer(fallback, { min, max: longMax }) }
}

export function flag(fallback: boolean): ConfigValue {
  return { ...choice(String(fallback), ['true', 'false']), type: 'boolean' }
}

export function choice(fallback: string, allowed: readonly string[]): ConfigValue {
  const problemWith = (value: string): string | undefined =>
    allowed.includes(value) ? undefined : `must be one of ${allowed.join(', ')}`
  return { type: 'string', fallback, problemWith }
}

/** Values of the list are separated by commas. */
export function list(fallback: string, allowed: readonly string[]): ConfigValue {
  const problemWith = (value: string): string | undefined => {
    const items = listItems(value)
    const known = items.every((item) => allowed.includes(item))
    return items.length > 0 && known ? undefined : `must list some of ${allowed.join(', ')}`
  }
  return { type: 'list', fallback, problemWith }
}

/** A number from 0 to 1. */
export function ratio(fallback: number): ConfigValue {
  const problemWith = (value: string): string | undefined => {
    const number = value.trim() === '' ? Number.NaN : Number(value)
    return number >= 0 && number <= 1 ? undefined : 'must be a number from 0 to 1'
  }
  return { type: 'double', fallback: String(fallback), problemWith }
}

export function listItems(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function integer(
  fallback: bigint,
  bounds: { readonly min: bigint; readonly max: bigint },
): Omit<ConfigValue, 'type'> {
  const problemWith = (value: string): string | undefined => {
    const isInteger = /^-?\d+$/.test(value)
    if (isInteger && BigInt(value) >= bounds.min && BigInt(value) <= bounds.max) return undefined
    return `must be an integer from ${bounds.min} to ${bounds.max}`
  }
  return { fallback: String(fallback), problemWith }
}
