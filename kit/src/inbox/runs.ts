import type { Timer } from '../clock.ts'
import { handlerTimeoutMsDefault } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { OverdueHandler } from './consumer-status.ts'
import { Deadlines } from './deadlines.ts'
import type { Delivery } from './delivery.ts'
import { HandlerRun, HandlerTimeout } from './handler-run.ts'
import type { Lane } from './lane.ts'
import { overdueToldMs } from './limits.ts'
import type { Subscription } from './subscription.ts'

/** One run of a handler: on one delivery, or on a batch of them. */
export interface Run {
  readonly subscription: Subscription
  readonly lane: Lane
  readonly handler: HandlerRun
  /** What it has in hand: those that are not done, put back or held. */
  deliveries: readonly Delivery[]
  /** True where nobody waits for it any more: what comes of it is nobody's fault. */
  isCutShort: boolean
  /** True where its handler is done, and it waits only to be written down. */
  isReleased: boolean
}

/**
 * The handlers at work, and who has not come back from it.
 *
 * U1. Each run ends: by itself, at its time limit, or when it is cut short.
 * U2. A handler whose run is over and that has not come back is known until it does.
 */
export class Runs {
  readonly #tools: Pick<DeliveryTools, 'clock' | 'log'>
  readonly #running = new Set<Run>()
  /** By time limit: handlers with the same one share a timer. */
  readonly #deadlines = new Map<number, Deadlines<Run>>()
  readonly #overdue = new Map<Run, { readonly sinceMs: number; readonly timer: Timer }>()
  #settled: () => void = () => {}

  constructor(tools: Pick<DeliveryTools, 'clock' | 'log'>) {
    this.#tools = tools
  }

  begin(subscription: Subscription, lane: Lane, deliveries: readonly Delivery[]): Run {
    const handler = new HandlerRun()
    const state = { isCutShort: false, isReleased: false }
    const run = { subscription, lane, handler, deliveries, ...state }
    this.#running.add(run)
    this.#deadlinesOf(run).add(run)
    return run
  }

  end(run: Run): void {
    this.#deadlinesOf(run).remove(run)
    this.#running.delete(run)
    const settled = this.#settled
    this.#settled = () => {}
    settled()
  }

  /** Resolves when none of the picked deliveries is at work any more. */
  async drained(isPicked: (delivery: Delivery) => boolean): Promise<void> {
    while (this.#picked(isPicked).length > 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const before = this.#settled
      this.#settled = () => {
        before()
        resolve()
      }
      await promise
    }
  }

  /** Cuts short what has a picked delivery in hand; it is rolled back when this returns. */
  abort(isPicked: (delivery: Delivery) => boolean, reason: string): void {
    for (const run of this.#picked(isPicked)) {
      run.isCutShort = true
      this.#giveUp(run, new HandlerTimeout(reason))
    }
  }

  /** Handlers that do not heed their signals (U2). */
  overdue(): readonly OverdueHandler[] {
    return [...this.#overdue].map(([{ subscription }, { sinceMs }]) => {
      return { subscription: subscription.name, sinceMs }
    })
  }

  /** Nobody is told any more who does not come back. */
  stop(): void {
    for (const { timer } of this.#overdue.values()) timer.cancel()
  }

  #picked(isPicked: (delivery: Delivery) => boolean): readonly Run[] {
    return [...this.#running].filter(({ deliveries }) => deliveries.some(isPicked))
  }

  #deadlinesOf({ subscription }: Run): Deadlines<Run> {
    const { timeoutMs = handlerTimeoutMsDefault } = subscription.options
    const known = this.#deadlines.get(timeoutMs)
    if (known !== undefined) return known
    const late = new HandlerTimeout(`the handler took longer than ${timeoutMs} ms`)
    const deadlines = new Deadlines<Run>(this.#tools.clock, timeoutMs, (run) =>
      this.#giveUp(run, late),
    )
    this.#deadlines.set(timeoutMs, deadlines)
    return deadlines
  }

  #giveUp(run: Run, reason: Error): void {
    const { handler, subscription } = run
    handler.abort(reason)
    if (!handler.isOut || this.#overdue.has(run)) return
    const { clock, log } = this.#tools
    const { name } = subscription
    const timer = clock.after(overdueToldMs, () => {
      const told = { event: name, reason: reason.message }
      log.error(told, `a handler of ${name} has not come back for ${overdueToldMs / 1000} s`)
    })
    this.#overdue.set(run, { sinceMs: clock.nowMs(), timer })
    handler.whenBack(() => {
      timer.cancel()
      this.#overdue.delete(run)
    })
  }
}
