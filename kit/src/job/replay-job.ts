// Replays the past as somebody asked: it keeps its own position, under the name of the job.

import { MillraceError } from '../errors.ts'
import type { ReplayOutcome, ReplayProgress, ReplayRequest, ReplayWatch } from '../replay/replay.ts'
import type { JobStep, JobWork } from './job.ts'

export type Replay = (request: ReplayRequest, watch?: ReplayWatch) => Promise<ReplayOutcome>

export function replayJob(replay: Replay): JobWork {
  return async ({ id, command }, { signal, note }) => {
    if (command.action !== 'replay') throw new Error(`job ${id} is no replay`)
    const { name = id, ...request } = command.request
    try {
      const outcome = await replay(
        { name, ...request },
        { signal, told: (progress) => note(stepOf(progress)) },
      )
      const step = stepOf(outcome.progress)
      if (outcome.kind === 'interrupted') return { kind: 'interrupted' }
      if (outcome.kind === 'done') return { kind: 'done', step }
      const reason =
        `the event of ${outcome.at} failed for the last time: ${outcome.reason}; mend it, and ` +
        `replay under the name ${name} to go on there`
      return { kind: 'stopped', reason, step }
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'replay-refused') throw error
      return { kind: 'stopped', reason: error.message }
    }
  }
}

function stepOf({ recordsRead: done, recordsTotal: total, ...report }: ReplayProgress): JobStep {
  return { done, total, report }
}
