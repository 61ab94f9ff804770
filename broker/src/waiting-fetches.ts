// Fetches that wait for more data (Kafka's fetch purgatory). One waits until its partitions have
// enough, or its time is up, or its client is gone; nothing polls.

import type { Clock } from './clock.ts'
import type { PartitionLog } from './log/partition-log.ts'

export interface FetchWait {
  /** Looked at again whenever the high watermark of one of them moves. */
  readonly logs: readonly PartitionLog[]
  readonly isEnough: () => boolean
  readonly maxWaitMs: number
  /** Calls back when the client is gone; returns the way to stop that. */
  readonly onDisconnect: (act: () => void) => () => void
}

export class WaitingFetches {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get count(): number {
    return this.#waiting.size
  }

  /** Resolves when the fetch should read: the wait is over, whatever ended it. */
  wait({ logs, isEnough, maxWaitMs, onDisconnect }: FetchWait): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const stops: (() => void)[] = []
    const end = (): void => {
      if (!this.#waiting.delete(end)) return
      for (const stop of stops) stop()
      resolve()
    }
    this.#waiting.add(end)
    const timer = this.#clock.after(maxWaitMs, end)
    stops.push(() => timer.cancel(), onDisconnect(end))
    for (const log of logs) {
      stops.push(
        log.onHighWatermark(() => {
          if (isEnough()) end()
        }),
      )
    }
    return promise
  }

  /** Ends all waits: topics have changed, or the broker closes. */
  wakeAll(): void {
    for (const end of this.#waiting) end()
  }
}
