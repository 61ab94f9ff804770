// Redrives or discards many dead letters, a chunk in a transaction.

import type { DeadLetterOffice, LetterOrder } from '../dead-letter/dead-letters.ts'
import type { Job, JobReport, JobWork } from './job.ts'

export function lettersJob(office: DeadLetterOffice): JobWork {
  return async (begun, stage) => {
    const order = orderOf(begun)
    let job = begun
    while (!stage.signal.aborted) {
      const next = await stage.step(async (db) => {
        const range = { after: job.position, last: job.last }
        const chunk = await office.carryOut(db, order, range)
        const report = {
          letters: count(job.report, 'letters') + chunk.letters,
          guarded: count(job.report, 'guarded') + chunk.guarded,
          isOutOfOrder: job.report['isOutOfOrder'] === true || chunk.isOutOfOrder,
        }
        const done = Math.min(job.total, report.letters + report.guarded)
        const position = chunk.position ?? job.last
        return { step: { position, done, report }, after: chunk.after }
      })
      if (next === null) return { kind: 'interrupted' }
      job = next
      if (job.position >= job.last) return { kind: 'done' }
    }
    return { kind: 'interrupted' }
  }
}

function orderOf({ id, command }: Job): LetterOrder {
  switch (command.action) {
    case 'redrive': {
      const { target, isForced = false } = command
      return { action: 'redrive', target, isForced, job: id }
    }
    case 'discard':
      return { action: 'discard', target: command.target, isForced: true, job: id }
    default:
      throw new Error(`job ${id} is of another kind: ${command.action}`)
  }
}

function count(report: JobReport, name: string): number {
  const value = report[name]
  return typeof value === 'number' ? value : 0
}
