// What a data directory wants done from time to time: checkpoints, so that a start after a crash
// reads little and knows damage from a torn tail, retention, and compaction.

import { setImmediate } from 'node:timers/promises'
import type { Clock, Timer } from '../clock.ts'
import {
  checkpointIntervalMs,
  compactionCheckIntervalMs,
  retentionCheckIntervalMs,
} from '../limits.ts'
import type { LogDirectory } from './log-directory.ts'

export class Housekeeping implements AsyncDisposable {
  readonly #clock: Clock
  readonly #report: (line: string) => void
  readonly #timers = new Set<Timer>()
  readonly #running = new Set<Promise<void>>()
  #stopped = false

  constructor(directory: LogDirectory, clock: Clock, report: (line: string) => void) {
    this.#clock = clock
    this.#report = report
    this.#every(checkpointIntervalMs, () => directory.checkpoint())
    this.#every(retentionCheckIntervalMs, () => directory.applyRetention())
    this.#every(compactionCheckIntervalMs, () => directory.compact(setImmediate))
  }

  /** Runs a task after each interval, never twice at once, until stopped. */
  #every(intervalMs: number, task: () => Promise<void>): void {
    const timer = this.#clock.after(intervalMs, () => {
      this.#timers.delete(timer)
      const run = task().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        this.#report(`housekeeping of the data directory failed, and is tried again: ${reason}`)
      })
      this.#running.add(run)
      void run.then(() => {
        this.#running.delete(run)
        if (!this.#stopped) this.#every(intervalMs, task)
      })
    })
    this.#timers.add(timer)
  }

  /** Stops, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) timer.cancel()
    await Promise.all(this.#running)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}
