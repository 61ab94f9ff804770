import type { Transaction } from 'kysely'
import type { Timer } from '../clock.ts'
import type { Parking } from '../dead-letter/parking.ts'
import { handlersRunningMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { BreakerState } from '../retry/breaker.ts'
import type { RetryTopics } from '../retry/retry-topics.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { OverdueHandler } from './consumer-status.ts'
import { deliver } from './deliver.ts'
import { type Delivery, isAbandoned } from './delivery.ts'
import type { Fence } from './fence.ts'
import { gather } from './gather.ts'
import { HandledRows } from './handled-rows.ts'
import { handledAmong, handledKey } from './inbox.ts'
import { KeyQueues } from './key-queues.ts'
import { Lane } from './lane.ts'
import { type Run, Runs } from './runs.ts'
import { Settlement } from './settlement.ts'
import { Slots } from './slots.ts'
import type { Subscription } from './subscription.ts'

export interface DispatcherOptions {
  readonly tools: DeliveryTools
  readonly parking: Parking
  readonly fence: Fence
  readonly subscriptions: readonly Subscription[]
  readonly retryTopics: Pick<RetryTopics, 'send'>
  /** Whether somebody has paused a subscription. */
  readonly isPaused: (name: string) => boolean
  /** A stored letter was tried: it is gone, waits, or is given up. */
  readonly letterSettled: (letterId: number) => void
  /** Another instance has claimed the partition of a delivery. */
  readonly fenced: (delivery: Delivery) => void
}

/**
 * Runs deliveries: each key's in order, the keys at once. What follows a run: `Settlement`.
 *
 * X1. A key is out of its queue from the start of an attempt until its events in it are done or
 *     put aside, also while one waits in memory for its next attempt (P4).
 * X2. A live delivery is told exactly once: done, when it is handled, was handled before, or is
 *     in the store; else abandoned, when its partition leaves us or the service stops.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #queues = new KeyQueues<Delivery>()
  readonly #lanes: ReadonlyMap<string, Lane>
  readonly #slots: Slots
  readonly #runs: Runs
  readonly #handledRows: HandledRows
  /** Waiting in memory for their next attempt; their keys are out (X1). */
  readonly #held = new Map<Delivery, Timer>()
  readonly #settlement: Settlement
  #hungry: { readonly subscriptions: readonly Subscription[]; readonly resolve: () => void }[] = []
  #isDispatching = false
  #isStopped = false

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { tools, subscriptions } = options
    this.#runs = new Runs(tools)
    this.#handledRows = new HandledRows(tools.store)
    this.#settlement = new Settlement(options, {
      putBack: (run) => this.#putBack(run),
      done: (run, deliveries) => this.#done(run, deliveries),
      hold: (run, delivery, delayMs) => this.#hold(run, delivery, delayMs),
      held: () => this.#held.keys(),
    })
    this.#slots = new Slots(handlersRunningMax, subscriptions.length)
    this.#lanes = new Map(
      subscriptions.map((subscription) => [subscription.name, this.#openLane(subscription)]),
    )
  }

  breakers(): readonly { readonly subscription: string; readonly state: BreakerState }[] {
    return [...this.#lanes].map(([subscription, { state }]) => ({ subscription, state }))
  }

  overdue(): readonly OverdueHandler[] {
    return this.#runs.overdue()
  }

  /**
   * Null where the lanes have room for more; else it resolves when they may have. What waits
   * behind its own key does not count: other keys must not wait for it. Where the store is behind,
   * there is no room: what is read then only grows old in memory.
   */
  room(subscriptions: readonly Subscription[]): Promise<void> | null {
    const isFull = (one: Subscription): boolean => this.#queues.ready(one.name) >= readyMaxOf(one)
    const hasRoom = !this.#handledRows.isBehind && !subscriptions.some(isFull)
    if (this.#isStopped || hasRoom) return null
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#hungry.push({ subscriptions, resolve })
    return promise
  }

  /** Something may begin that could not before. */
  wake(): void {
    this.#dispatchSoon()
  }

  add(delivery: Delivery): void {
    this.#queues.add(delivery)
    this.#dispatchSoon()
  }

  /** Takes out what has not begun and what waits for a retry; what runs goes on. */
  drop(isGone: (delivery: Delivery) => boolean): void {
    for (const delivery of this.#queues.remove(isGone)) abandon(delivery)
    for (const [delivery, timer] of this.#held) {
      if (!isGone(delivery)) continue
      timer.cancel()
      this.#held.delete(delivery)
      abandon(delivery)
      this.#queues.finish(delivery.key)
    }
    this.#dispatchSoon()
  }

  /** Resolves when none of the picked deliveries runs any more. */
  drained(isPicked: (delivery: Delivery) => boolean): Promise<void> {
    return this.#runs.drained(isPicked)
  }

  /**
   * Cuts short what still runs of the picked deliveries: it is rolled back, its signals fire, and
   * nothing of it commits any more.
   */
  abort(isPicked: (delivery: Delivery) => boolean, reason: string): void {
    this.#runs.abort(isPicked, reason)
  }

  /** Begins nothing more. */
  stop(): void {
    this.#isStopped = true
    this.drop(() => true)
    for (const lane of this.#lanes.values()) lane.stop()
  }

  /** Nothing runs any more, or nobody waits for it. */
  close(): void {
    this.#runs.stop()
  }

  #openLane({ options, batch }: Subscription): Lane {
    const { clock, random } = this.#options.tools
    const { concurrency = handlersRunningMax } = options
    const opened = (): void => this.#dispatchSoon()
    const lane = { clock, random, opened, concurrency }
    return new Lane(batch === undefined ? lane : { ...lane, batch })
  }

  /** Once a turn for however many deliveries came in it. */
  #dispatchSoon(): void {
    if (this.#isDispatching) return
    this.#isDispatching = true
    queueMicrotask(() => {
      this.#isDispatching = false
      this.#dispatch()
      this.#feed()
    })
  }

  /** Tells those who wait for room, at half of the limit, so that they bring more than one. */
  #feed(): void {
    if (this.#hungry.length === 0) return
    const isLow = (one: Subscription): boolean =>
      this.#queues.ready(one.name) * 2 <= readyMaxOf(one)
    const waiting = this.#hungry
    this.#hungry = []
    for (const one of waiting) {
      const isFed = !this.#handledRows.isBehind && one.subscriptions.every(isLow)
      if (this.#isStopped || isFed) one.resolve()
      else this.#hungry.push(one)
    }
  }

  #dispatch(): void {
    while (!this.#isStopped) {
      const first = this.#queues.next((name) => this.#mayBegin(name))
      if (first === null) return
      const lane = this.#laneOf(first)
      const run = this.#runs.begin(
        first.subscription,
        lane,
        gather(this.#queues, first, lane.sizeMax),
      )
      lane.begin(run)
      this.#slots.take(first.lane)
      this.#attempt(run).then(
        () => this.#leave(run),
        (error: unknown) => {
          this.#settlement.trouble(run, error)
          this.#leave(run)
        },
      )
    }
  }

  #mayBegin(name: string): boolean {
    if (this.#options.isPaused(name)) return false
    const lane = this.#lanes.get(name)
    if (lane === undefined) return true
    const isFree = lane.isOpen && this.#slots.isFree(name)
    return isFree && lane.isBatchReady(this.#queues.waiting(name))
  }

  async #attempt(run: Run): Promise<void> {
    const { parking, tools } = this.#options
    const isHeld = (delivery: Delivery): boolean =>
      delivery.source.kind === 'live' && parking.isHeld(delivery)
    for (const delivery of run.deliveries.filter(isHeld)) {
      if (await parking.putBehind(delivery)) this.#done(run, [delivery])
    }
    const [first] = run.deliveries
    if (first === undefined) return
    // What may be a repeat, and what is stored, runs alone (`freshProgress`).
    if (first.progress.maybeRepeat && (await this.#isHandled(first))) {
      await this.#settlement.settle(run, { kind: 'repeat' })
      return
    }
    const letter = first.source.kind === 'stored' ? first.source.letter : null
    const outcome = await deliver(tools, run, {
      handledRows: this.#handledRows,
      release: () => this.#release(run),
      fence: this.#options.fence,
      ...(letter === null
        ? {}
        : { alongside: (db: Transaction<KitTables>) => parking.complete(letter.id, db) }),
    })
    await this.#settlement.settle(run, outcome)
  }

  #hold(run: Run, delivery: Delivery, delayMs: number): void {
    const timer = this.#options.tools.clock.after(delayMs, () => {
      this.#held.delete(delivery)
      this.#queues.putBack(delivery.key, [delivery])
      this.#dispatchSoon()
    })
    this.#held.set(delivery, timer)
    run.deliveries = []
  }

  /** All that the run has in hand goes back to its keys, but for what leaves us. */
  #putBack(run: Run): void {
    const byKey = Map.groupBy(run.deliveries, ({ key }) => key)
    run.deliveries = []
    for (const [key, deliveries] of byKey) {
      const isGone = (delivery: Delivery): boolean => this.#isStopped || isAbandoned(delivery)
      for (const delivery of deliveries.filter(isGone)) abandon(delivery)
      const kept = deliveries.filter((delivery) => !isGone(delivery))
      if (kept.length > 0) this.#queues.putBack(key, kept)
      else this.#queues.finish(key)
    }
    this.#dispatchSoon()
  }

  /** Tells each, and frees the keys of which nothing is left in the run. */
  #done(run: Run, deliveries: readonly Delivery[]): void {
    const isWhole = deliveries === run.deliveries
    run.deliveries = isWhole ? [] : run.deliveries.filter((one) => !deliveries.includes(one))
    for (const delivery of deliveries) this.#tell(delivery)
    const [only, second] = deliveries
    if (isWhole && second === undefined && only !== undefined) {
      this.#queues.finish(only.key)
      return
    }
    const left = new Set(run.deliveries.map(({ key }) => key))
    for (const key of new Set(deliveries.map((delivery) => delivery.key))) {
      if (!left.has(key)) this.#queues.finish(key)
    }
  }

  #tell(delivery: Delivery): void {
    const { tools, letterSettled } = this.#options
    tools.observer.settled?.(delivery, tools.clock.nowMs())
    if (delivery.source.kind === 'live') delivery.source.done()
    else letterSettled(delivery.source.letter.id)
  }

  #release(run: Run): void {
    if (this.#handledRows.isBehind) return
    run.isReleased = true
    run.lane.release()
    this.#slots.give(run.subscription.name)
    this.#dispatchSoon()
  }

  #leave(run: Run): void {
    const { lane, isReleased, subscription } = run
    lane.end(run, { isReleased })
    if (!isReleased) this.#slots.give(subscription.name)
    this.#runs.end(run)
    this.#dispatchSoon()
  }

  async #isHandled({ event, subscription }: Delivery): Promise<boolean> {
    const handled = await handledAmong(this.#options.tools.store.read, [event.eventId])
    return handled.has(handledKey(subscription.name, event.eventId))
  }

  #laneOf({ lane }: Delivery): Lane {
    const found = this.#lanes.get(lane)
    if (found === undefined) throw new Error(`no subscription is named "${lane}"`)
    return found
  }
}

/** Keys that are ready to fill its runs twice: beyond it, decoding more would only fill memory. */
function readyMaxOf({ batch }: Subscription): number {
  return 2 * (batch?.sizeMax ?? handlersRunningMax)
}

function abandon({ source }: Delivery): void {
  if (source.kind === 'live') source.abandon()
}
