import { MillraceError } from '../errors.ts'
import { stateBytesMax } from '../limits.ts'

/**
 * A value as JSON text that reads back as the same value. Throws `state-invalid` where it would
 * not: a Map or a Date would come back as something else only after a restart, long after the
 * tests. `what` is named in the error. Members that are undefined are left out.
 */
export function writePlainJson(what: string, value: unknown): string {
  const problem = problemOf(value, '', new Set())
  if (problem !== null) {
    throw new MillraceError('state-invalid', `${what} cannot be kept: ${problem}`, {
      issues: [problem],
    })
  }
  const text = JSON.stringify(value)
  if (text.length > stateBytesMax) {
    throw new MillraceError(
      'state-invalid',
      `${what} takes ${text.length} characters, and the limit is ${stateBytesMax}`,
    )
  }
  return text
}

function problemOf(value: unknown, path: string, above: Set<object>): string | null {
  const at = path === '' ? 'it' : path.slice(1)
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null
    case 'number':
      return Number.isFinite(value) ? null : `${at} is ${value}, which JSON does not have`
    case 'object':
      return value === null ? null : problemOfObject(value, path, above)
    default:
      return `${at} is ${value === undefined ? 'undefined' : `a ${typeof value}`}`
  }
}

function problemOfObject(value: object, path: string, above: Set<object>): string | null {
  const at = path === '' ? 'it' : path.slice(1)
  if (above.has(value)) return `${at} contains itself`
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = Array.isArray(value) || prototype === Object.prototype || prototype === null
  if (!isPlain) return `${at} is a ${value.constructor.name}; keep plain objects and arrays`
  above.add(value)
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined && !Array.isArray(value)) continue
    const problem = problemOf(member, `${path}.${name}`, above)
    if (problem !== null) return problem
  }
  above.delete(value)
  return null
}
