import type { HandlerTime } from '../health/service-health.ts'
import type { Attempt, AttemptOutcome, Observer } from './observer.ts'

/** How long each handler takes, on average of its last runs: for the hint where a lag grows. */
export class HandlerTimes implements Observer {
  readonly #averages = new Map<string, number>()

  attempted({ deliveries, startedAtMs }: Attempt, _outcome: AttemptOutcome, atMs: number): void {
    const event = deliveries[0]?.subscription.name
    if (event === undefined) return
    const tookMs = Math.max(0, atMs - startedAtMs)
    const before = this.#averages.get(event)
    this.#averages.set(event, before === undefined ? tookMs : before + (tookMs - before) * weight)
  }

  slowest(): HandlerTime | null {
    let slowest: HandlerTime | null = null
    for (const [event, averageMs] of this.#averages) {
      if (averageMs > (slowest?.averageMs ?? -1)) slowest = { event, averageMs }
    }
    return slowest
  }
}

/** Of the newest run: after some twenty runs the older ones hardly count. */
const weight = 0.1
