import type { Transaction } from 'kysely'
import type { Timer } from '../clock.ts'
import type { Parking } from '../dead-letter/parking.ts'
import { messageOf } from '../errors.ts'
import { handlersRunningMax, retryInMemoryMsMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { BreakerState } from '../retry/breaker.ts'
import { type Failure, failureOf } from '../retry/failure.ts'
import { afterFailure } from '../retry/policy.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { OverdueHandler } from './consumer-status.ts'
import { type DeliveryOutcome, deliver } from './deliver.ts'
import { type Delivery, isAbandoned } from './delivery.ts'
import { type Fence, Fenced } from './fence.ts'
import { HandledRows } from './handled-rows.ts'
import { handledAmong, handledKey } from './inbox.ts'
import { KeyQueues } from './key-queues.ts'
import { Lane } from './lane.ts'
import { type Run, Runs } from './runs.ts'
import { Slots } from './slots.ts'
import type { Subscription } from './subscription.ts'

export interface DispatcherOptions {
  readonly tools: DeliveryTools
  readonly parking: Parking
  readonly fence: Fence
  readonly subscriptions: readonly Subscription[]
  /** A stored letter was tried: it is gone, waits, or is given up. */
  readonly letterSettled: (letterId: number) => void
  /** Another instance has claimed the partition of a delivery. */
  readonly fenced: (delivery: Delivery) => void
}

/**
 * Runs deliveries: each key's in order, the keys at once, and decides what follows a failure.
 *
 * X1. A key is out of its queue from the start of an attempt until its events in it are done or
 *     put aside, also while one waits in memory for its next attempt (P4).
 * X2. A live delivery is told exactly once: done, when it is handled, was handled before, or is
 *     in the store; else abandoned, when its partition leaves us or the service stops.
 * X3. Nothing that fails here is lost: what cannot even be put aside goes back to its queue.
 * X4. A batch that fails says nothing of its events: they run again in batches of half its size,
 *     so that the one that is to blame fails alone in the end.
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
  readonly #told = new WeakSet<BreakerState>()
  #isDispatching = false
  #isStopped = false

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { tools, subscriptions } = options
    this.#runs = new Runs(tools)
    this.#handledRows = new HandledRows(tools.store)
    this.#slots = new Slots(handlersRunningMax, subscriptions.length)
    this.#lanes = new Map(
      subscriptions.map((subscription) => [subscription.name, this.#openLane(subscription)]),
    )
  }

  /** Deliveries in memory that are not done. */
  get size(): number {
    return this.#queues.size + this.#runs.size + this.#held.size
  }

  breakers(): readonly { readonly subscription: string; readonly state: BreakerState }[] {
    return [...this.#lanes].map(([subscription, { state }]) => ({ subscription, state }))
  }

  overdue(): readonly OverdueHandler[] {
    return this.#runs.overdue()
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
    })
  }

  #dispatch(): void {
    while (!this.#isStopped) {
      const first = this.#queues.next((name) => this.#mayBegin(name))
      if (first === null) return
      const lane = this.#laneOf(first)
      const run = this.#runs.begin(first.subscription, lane, this.#gather(first, lane))
      lane.begin(run)
      this.#slots.take(first.lane)
      this.#attempt(run).then(
        () => this.#leave(run),
        (error: unknown) => this.#trouble(run, error),
      )
    }
  }

  #mayBegin(name: string): boolean {
    const lane = this.#lanes.get(name)
    if (lane === undefined) return true
    const isFree = lane.isOpen && this.#slots.isFree(name)
    return isFree && lane.isBatchReady(this.#queues.waiting(name))
  }

  /** What else the run of `first` takes: the oldest of other keys, then later ones of its keys. */
  #gather(first: Delivery, lane: Lane): readonly Delivery[] {
    const batch = [first]
    let sizeMax = Math.min(lane.sizeMax, first.progress.sizeMax)
    const isWanted = ({ lane: name, progress }: Delivery): boolean =>
      name === first.lane && progress.sizeMax > batch.length
    const take = (delivery: Delivery): void => {
      batch.push(delivery)
      sizeMax = Math.min(sizeMax, delivery.progress.sizeMax)
    }
    while (batch.length < sizeMax) {
      const next = this.#queues.next((name) => name === first.lane)
      if (next !== null && isWanted(next)) take(next)
      else {
        if (next !== null) this.#queues.putBack(next.key, [next])
        break
      }
    }
    for (let at = 0; at < batch.length && batch.length < sizeMax; at += 1) {
      const next = this.#queues.more(batch[at]?.key ?? first.key, isWanted)
      if (next !== null) take(next)
    }
    return batch
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
      await this.#settle(run, { kind: 'repeat' })
      return
    }
    const letter = first.source.kind === 'stored' ? first.source.letter : null
    const outcome = await deliver(tools, run, {
      handledRows: this.#handledRows,
      fence: this.#options.fence,
      ...(letter === null
        ? {}
        : { alongside: (db: Transaction<KitTables>) => parking.complete(letter.id, db) }),
    })
    await this.#settle(run, outcome)
  }

  async #settle(run: Run, outcome: DeliveryOutcome): Promise<void> {
    const { deliveries } = run
    const [first] = deliveries
    if (first === undefined) return
    switch (outcome.kind) {
      case 'handled':
        this.#succeeded(run)
        this.#done(run, deliveries)
        return
      case 'repeat':
        if (deliveries.length > 1) {
          this.#halve(run)
          return
        }
        if (first.source.kind === 'stored') await this.#removeLetter(first.source.letter.id)
        this.#done(run, deliveries)
        return
      case 'held':
        // Where nothing holds it any more, it goes back to its key and is handled.
        if (await this.#options.parking.putBehind(first)) this.#done(run, [first])
        else this.#putBack(run)
        return
      case 'fenced':
        this.#fenced(run)
        return
      case 'abandoned':
        this.#putBack(run)
        return
      case 'failed':
        if (deliveries.length > 1) this.#batchFailed(run, first, outcome.failure)
        else await this.#failed(run, first, outcome.failure)
        return
      default:
        outcome satisfies never
    }
  }

  #succeeded(run: Run): void {
    const { lane, subscription } = run
    const before = lane.state
    lane.succeeded(run)
    if (before.kind !== 'open' || lane.state.kind === 'open') return
    const { clock, log } = this.#options.tools
    const told = { event: subscription.name, outageMs: clock.nowMs() - before.sinceMs }
    log.warn(told, 'the outage is over: the subscription goes on')
  }

  #batchFailed(run: Run, first: Delivery, failure: Failure): void {
    if (failure.isOutage) {
      run.lane.failed(first, failure, run)
      this.#outage(run, failure)
      this.#putBack(run)
      return
    }
    const { subscription, deliveries } = run
    const told = { event: subscription.name, events: deliveries.length, reason: failure.message }
    this.#options.tools.log.warn(told, 'a batch failed; its events run again in smaller ones')
    this.#halve(run)
  }

  #halve(run: Run): void {
    const sizeMax = Math.ceil(run.deliveries.length / 2)
    for (const { progress } of run.deliveries) progress.sizeMax = sizeMax
    this.#putBack(run)
  }

  async #failed(run: Run, delivery: Delivery, failure: Failure): Promise<void> {
    const { lane } = run
    // What a move cut short is nobody's fault: it comes again.
    if (isAbandoned(delivery)) {
      this.#putBack(run)
      return
    }
    if (lane.failed(delivery, failure, run) === 'outage') {
      this.#outage(run, failure)
      this.#putBack(run)
      return
    }
    const { clock, random, log, observer } = this.#options.tools
    const { progress, subscription } = delivery
    const { eventId } = delivery.event
    progress.attempts += 1
    progress.signature = failure.signature
    const next = failure.isFinal
      ? ({ kind: 'exhausted' } as const)
      : afterFailure(progress.attempts, subscription.options.retry ?? {}, random)
    const told = { event: subscription.name, eventId, attempt: progress.attempts }
    log.warn(
      { ...told, reason: failure.message, next: next.kind },
      next.kind === 'exhausted'
        ? 'a handler failed for the last time; "millrace dead-letters" has the event'
        : 'a handler failed',
    )
    if (next.kind === 'exhausted') {
      const state = subscription.options.onExhausted === 'skip' ? 'skipped' : 'parked'
      await this.#putAside(run, delivery, { state, failure, dueAtMs: null })
    } else if (delivery.source.kind === 'stored' || next.delayMs > retryInMemoryMsMax) {
      const dueAtMs = clock.nowMs() + next.delayMs
      await this.#putAside(run, delivery, { state: 'waiting', failure, dueAtMs })
    } else {
      this.#hold(run, delivery, next.delayMs)
      observer.delayed?.(delivery, next.delayMs, clock.nowMs())
    }
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

  async #putAside(
    run: Run,
    delivery: Delivery,
    {
      state,
      failure,
      dueAtMs,
    }: {
      readonly state: 'waiting' | 'parked' | 'skipped'
      readonly failure: Failure
      readonly dueAtMs: number | null
    },
  ): Promise<void> {
    await this.#options.parking.putAside(delivery, {
      state,
      due_at_ms: dueAtMs,
      attempts: delivery.progress.attempts,
      reason: failure.message,
    })
    this.#done(run, [delivery])
  }

  #outage({ lane, subscription }: Run, { message }: Failure): void {
    const { state } = lane
    if (state.kind !== 'open') return
    for (const held of this.#held.keys()) {
      if (held.subscription === subscription) lane.excuse(held)
    }
    // One line for the outage and each probe, not for all that was running meanwhile.
    if (this.#told.has(state)) return
    this.#told.add(state)
    const told = { event: subscription.name, reason: message, probes: state.probes }
    this.#options.tools.log.error(told, 'an outage: the subscription waits and probes')
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
    const { clock, observer } = this.#options.tools
    run.deliveries = run.deliveries.filter((delivery) => !deliveries.includes(delivery))
    for (const delivery of deliveries) {
      observer.settled?.(delivery, clock.nowMs())
      if (delivery.source.kind === 'live') delivery.source.done()
      else this.#options.letterSettled(delivery.source.letter.id)
    }
    const left = new Set(run.deliveries.map(({ key }) => key))
    for (const key of new Set(deliveries.map((delivery) => delivery.key))) {
      if (!left.has(key)) this.#queues.finish(key)
    }
  }

  #leave(run: Run): void {
    run.lane.end(run)
    this.#slots.give(run.subscription.name)
    this.#runs.end(run)
    this.#dispatchSoon()
  }

  /** Its partition is given up, and so is what came of it: whoever has it now hears it. */
  #fenced(run: Run): void {
    for (const delivery of run.deliveries) this.#options.fenced(delivery)
    this.#putBack(run)
  }

  /** X3: the store itself is in trouble, an outage like any other. */
  #trouble(run: Run, error: unknown): void {
    if (error instanceof Fenced) {
      this.#fenced(run)
      this.#leave(run)
      return
    }
    this.#options.tools.log.error({ reason: messageOf(error) }, 'an event could not be put aside')
    const [first] = run.deliveries
    if (first !== undefined) {
      run.lane.failed(first, { ...failureOf(error), isOutage: true }, run)
      this.#putBack(run)
    }
    this.#leave(run)
  }

  async #removeLetter(letterId: number): Promise<void> {
    const { parking, tools } = this.#options
    const afterwards = await tools.store.transaction(`letter ${letterId}`, (db) =>
      parking.complete(letterId, db),
    )
    afterwards()
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

function abandon({ source }: Delivery): void {
  if (source.kind === 'live') source.abandon()
}
