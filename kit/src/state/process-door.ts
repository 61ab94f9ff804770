import type { Kysely } from 'kysely'
import type { Clock, Random } from '../clock.ts'
import type { Correlation } from '../correlation.ts'
import type { Schedule, Scheduled } from '../schedule/schedule.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { TimerSetting } from './process-step.ts'
import { timerRow } from './timer-event.ts'

/** Whose timers. */
export interface ProcessPlace {
  readonly service: string
  readonly process: string
  readonly processId: string
}

export interface ProcessDoorOptions {
  readonly db: Kysely<KitTables>
  readonly schedule: Schedule
  /** Writes it before the commit, with what the transaction says. */
  readonly later: (scheduled: Scheduled) => void
  /** The service as it calls itself in what it says. */
  readonly source: string
  readonly correlation: Correlation
  readonly clock: Clock
  readonly random: Random
}

/** What a process needs of its transaction beside what any handler has. */
export interface ProcessDoor {
  readonly correlationId: string
  nowMs(): number
  setTimer(place: ProcessPlace, timer: TimerSetting): void
  cancelTimer(place: ProcessPlace, timer: string): Promise<void>
}

export function openProcessDoor(options: ProcessDoorOptions): ProcessDoor {
  const { db, schedule, later, correlation, clock } = options
  return {
    correlationId: correlation.correlationId,
    nowMs: () => clock.nowMs(),
    setTimer(place, timer) {
      later({
        kind: 'timer',
        scheduleId: scheduleIdOf(place, timer.name),
        dueAtMs: timer.dueAtMs,
        row: timerRow(timer, { ...options, ...place }),
      })
    },
    async cancelTimer(place, timer) {
      // Whether it was in time matters to nobody: a setting that is not set any more is not heard.
      await schedule.cancel(db, 'timer', scheduleIdOf(place, timer))
    },
  }
}

function scheduleIdOf({ process, processId }: ProcessPlace, timer: string): string {
  return JSON.stringify([process, processId, timer])
}
