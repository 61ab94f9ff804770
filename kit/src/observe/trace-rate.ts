import type { Environment } from '../environment.ts'
import { MillraceError } from '../errors.ts'

/**
 * Which part of all chains is traced: `MILLRACE_TRACES`, from 0 (none) to 1 (all, the default).
 * Throws `config-invalid`.
 */
export function readTraceRate(env: Environment): number {
  const text = env['MILLRACE_TRACES']?.trim() ?? ''
  const rate = text === '' ? 1 : Number(text)
  if (rate >= 0 && rate <= 1) return rate
  const problem = `MILLRACE_TRACES is "${text}"; it can be a number from 0 (no chain) to 1 (all)`
  throw new MillraceError('config-invalid', problem, { issues: [problem] })
}
