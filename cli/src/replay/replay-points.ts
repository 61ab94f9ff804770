import type { ReplayPoint } from '@millrace/kit'
import { type Input, type OptionTable, UsageError } from '../command.ts'

/** Which part of the past a command means. */
export const pointOptions: OptionTable = {
  from: { kind: 'text', value: 'POINT', text: 'start, an offset, or a time (default: start)' },
  to: { kind: 'text', value: 'POINT', text: 'end, an offset, or a time (default: end)' },
}

export const pointNote =
  'An offset counts in each partition. A time is RFC 3339, such as 2026-01-31T12:00:00Z.'

/** @throws UsageError where a point is none of these */
export function readPoints(input: Input): { readonly from: ReplayPoint; readonly to: ReplayPoint } {
  return {
    from: pointOf(input.text('from') ?? 'start', '--from'),
    to: pointOf(input.text('to') ?? 'end', '--to'),
  }
}

function pointOf(text: string, option: string): ReplayPoint {
  if (text === 'start' || text === 'end') return text
  if (/^\d+$/.test(text)) return { offset: Number(text) }
  if (!Number.isNaN(Date.parse(text)) && /^\d{4}-\d{2}-\d{2}T/.test(text)) return { time: text }
  throw new UsageError(
    `${option} is "${text}"; it is start, end, an offset, or a time such as 2026-01-31T12:00:00Z`,
  )
}
