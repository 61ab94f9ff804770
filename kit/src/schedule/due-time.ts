import { MillraceError } from '../errors.ts'
import { scheduleAheadMsMax, scheduleIdLengthMax } from '../limits.ts'

/** When something is to happen: not at all by these options, or at a time. */
export interface DueOptions {
  readonly at?: Date
  readonly afterMs?: number
  readonly scheduleId?: string
}

/**
 * The time at which it is due, or null where it is for now. A time that is over is due at once.
 * Throws `schedule-invalid`, and names `what` in it.
 */
export function dueTimeOf(
  what: string,
  { at, afterMs, scheduleId }: DueOptions,
  nowMs: number,
): number | null {
  if (scheduleId !== undefined) checkScheduleId(what, scheduleId)
  if (at === undefined && afterMs === undefined) {
    if (scheduleId === undefined) return null
    throw invalid(what, 'has a scheduleId and no time; give it `at` or `afterMs`')
  }
  if (at !== undefined && afterMs !== undefined) {
    throw invalid(what, 'has both `at` and `afterMs`; give it one')
  }
  const dueAtMs = at === undefined ? nowMs + (afterMs ?? 0) : at.getTime()
  if (!Number.isFinite(dueAtMs)) {
    throw invalid(what, `is due at ${at === undefined ? `afterMs ${afterMs}` : 'an invalid Date'}`)
  }
  if (afterMs !== undefined && afterMs < 0) throw invalid(what, `is due after ${afterMs} ms`)
  if (dueAtMs > nowMs + scheduleAheadMsMax) {
    const days = Math.round((dueAtMs - nowMs) / 86_400_000)
    const daysMax = scheduleAheadMsMax / 86_400_000
    throw invalid(what, `is due in ${days} days, and the limit is ${daysMax} (are they ms?)`)
  }
  return Math.ceil(dueAtMs)
}

function checkScheduleId(what: string, scheduleId: string): void {
  if (scheduleId.length === 0 || scheduleId.length > scheduleIdLengthMax) {
    throw invalid(
      what,
      `has a scheduleId of ${scheduleId.length} characters; it may have 1 to ${scheduleIdLengthMax}`,
    )
  }
}

function invalid(what: string, problem: string): MillraceError {
  return new MillraceError('schedule-invalid', `${what} ${problem}`)
}
