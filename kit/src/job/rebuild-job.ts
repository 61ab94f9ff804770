// Watches a projection being rebuilt: the projection's own keeper does it, wherever that runs.

import type { Clock } from '../clock.ts'
import { jobToldEveryMs } from '../limits.ts'
import type { Projections } from '../projection/projections.ts'
import type { JobWork } from './job.ts'

export type Rebuilding = Pick<Projections, 'rebuild' | 'progress' | 'status'>

/** The position is the generation that is built: 0 as long as none was begun. */
export function rebuildJob(projections: Rebuilding, clock: Clock): JobWork {
  return async (begun, { signal, step, note }) => {
    const { id, command } = begun
    if (command.action !== 'rebuild') throw new Error(`job ${id} is no rebuild`)
    const { projection } = command
    if (begun.position === 0) await projections.rebuild(projection)
    let { position } = begun
    while (!signal.aborted) {
      const progress = await projections.progress(projection)
      if (progress === null) return { kind: 'stopped', reason: unknownProjection(projection) }
      const { building, done, total } = progress
      if (position === 0 && building !== null) {
        const next = await step(async () => ({ step: { position: building, done, total } }))
        if (next === null) return { kind: 'interrupted' }
        position = building
      }
      if (building === null) return { kind: 'done', step: { report: { serving: position } } }
      note({ done: Math.min(done, total), total })
      await passed(clock, signal)
    }
    return { kind: 'interrupted' }
  }
}

function unknownProjection(name: string): string {
  return `this version of the service has no projection "${name}" any more`
}

async function passed(clock: Clock, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = clock.after(jobToldEveryMs, resolve)
  const end = (): void => resolve()
  signal.addEventListener('abort', end, { once: true })
  await promise
  timer.cancel()
  signal.removeEventListener('abort', end)
}
