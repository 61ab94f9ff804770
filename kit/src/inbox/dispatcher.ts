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
import { type DeliveryOutcome, deliver } from './deliver.ts'
import { type Delivery, isAbandoned } from './delivery.ts'
import { handledAmong, handledKey } from './inbox.ts'
import { KeyQueues } from './key-queues.ts'
import { Lane } from './lane.ts'
import type { Subscription } from './subscription.ts'

export interface DispatcherOptions {
  readonly tools: DeliveryTools
  readonly parking: Parking
  readonly subscriptions: readonly Subscription[]
  /** A stored letter was tried: it is gone, waits, or is given up. */
  readonly letterSettled: (letterId: number) => void
}

/**
 * Runs deliveries: each key's in order, the keys at once, and decides what follows a failure.
 *
 * X1. A key is out of its queue from the start of an attempt until its event is done or put
 *     aside, also while it waits in memory for its next attempt (P4).
 * X2. A live delivery is told exactly once: done, when it is handled, was handled before, or is
 *     in the store; else abandoned, when its partition leaves us or the service stops.
 * X3. Nothing that fails here is lost: what cannot even be put aside goes back to its queue.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions
  readonly #queues = new KeyQueues<Delivery>()
  readonly #lanes: ReadonlyMap<string, Lane>
  readonly #running = new Set<Delivery>()
  /** Waiting in memory for their next attempt; their keys are out (X1). */
  readonly #held = new Map<Delivery, Timer>()
  readonly #stopping = new AbortController()
  readonly #told = new WeakSet<BreakerState>()
  #isDispatching = false
  #isStopped = false
  #settled: () => void = () => {}

  constructor(options: DispatcherOptions) {
    this.#options = options
    const { clock, random } = options.tools
    const opened = (): void => this.#dispatchSoon()
    this.#lanes = new Map(
      options.subscriptions.map(({ name }) => {
        const concurrency = handlersRunningMax
        return [name, new Lane({ clock, random, opened, concurrency })]
      }),
    )
  }

  /** Deliveries in memory that are not done. */
  get size(): number {
    return this.#queues.size + this.#running.size + this.#held.size
  }

  breakers(): readonly { readonly subscription: string; readonly state: BreakerState }[] {
    return [...this.#lanes].map(([subscription, { state }]) => ({ subscription, state }))
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
  async drained(isPicked: (delivery: Delivery) => boolean): Promise<void> {
    while ([...this.#running].some(isPicked)) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const before = this.#settled
      this.#settled = () => {
        before()
        resolve()
      }
      await promise
    }
  }

  /** Begins nothing more. */
  stop(): void {
    this.#isStopped = true
    this.drop(() => true)
    for (const lane of this.#lanes.values()) lane.stop()
  }

  /** Tells handlers that are still at work that nobody waits for them any more. */
  abort(): void {
    this.#stopping.abort()
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
    while (!this.#isStopped && this.#running.size < handlersRunningMax) {
      const delivery = this.#queues.next((name) => this.#lanes.get(name)?.isOpen ?? true)
      if (delivery === null) return
      const lane = this.#laneOf(delivery)
      lane.begin(delivery)
      this.#running.add(delivery)
      this.#attempt(delivery, lane).then(
        () => this.#leave(delivery, lane),
        (error: unknown) => this.#trouble(delivery, lane, error),
      )
    }
  }

  async #attempt(delivery: Delivery, lane: Lane): Promise<void> {
    const { parking, tools } = this.#options
    if (delivery.source.kind === 'live' && parking.isHeld(delivery)) {
      const reason = 'an earlier event of its key is parked'
      await parking.putAside(delivery, { state: 'behind', due_at_ms: null, attempts: 0, reason })
      this.#done(delivery)
      return
    }
    if (delivery.progress.maybeRepeat && (await this.#isHandled(delivery))) {
      await this.#settle(delivery, lane, { kind: 'repeat' })
      return
    }
    const { source } = delivery
    const stopping = this.#stopping.signal
    const { letter } = source.kind === 'stored' ? source : { letter: null }
    const outcome = await deliver(tools, delivery, {
      stopping,
      ...(letter === null
        ? {}
        : { alongside: (db: Transaction<KitTables>) => parking.complete(letter.id, db) }),
    })
    await this.#settle(delivery, lane, outcome)
  }

  async #settle(delivery: Delivery, lane: Lane, outcome: DeliveryOutcome): Promise<void> {
    switch (outcome.kind) {
      case 'handled':
        this.#succeeded(delivery, lane)
        this.#done(delivery)
        return
      case 'repeat':
        if (delivery.source.kind === 'stored') await this.#removeLetter(delivery.source.letter.id)
        this.#done(delivery)
        return
      case 'failed':
        await this.#failed(delivery, lane, outcome.failure)
        return
      default:
        outcome satisfies never
    }
  }

  #succeeded(delivery: Delivery, lane: Lane): void {
    const before = lane.state
    lane.succeeded(delivery)
    if (before.kind !== 'open' || lane.state.kind === 'open') return
    const { clock, log } = this.#options.tools
    const told = { event: delivery.subscription.name, outageMs: clock.nowMs() - before.sinceMs }
    log.warn(told, 'the outage is over: the subscription goes on')
  }

  async #failed(delivery: Delivery, lane: Lane, failure: Failure): Promise<void> {
    // What a stop or a move cut short is nobody's fault: it comes again.
    if (isAbandoned(delivery) || this.#stopping.signal.aborted) {
      abandon(delivery)
      this.#queues.finish(delivery.key)
      return
    }
    if (lane.failed(delivery, failure) === 'outage') {
      this.#outage(delivery, lane, failure)
      this.#putBack(delivery)
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
      await this.#putAside(delivery, state, failure, null)
    } else if (delivery.source.kind === 'stored' || next.delayMs > retryInMemoryMsMax) {
      await this.#putAside(delivery, 'waiting', failure, clock.nowMs() + next.delayMs)
    } else {
      const timer = clock.after(next.delayMs, () => {
        this.#held.delete(delivery)
        this.#putBack(delivery)
      })
      this.#held.set(delivery, timer)
      observer.delayed?.(delivery, next.delayMs, clock.nowMs())
    }
  }

  async #putAside(
    delivery: Delivery,
    state: 'waiting' | 'parked' | 'skipped',
    failure: Failure,
    dueAtMs: number | null,
  ): Promise<void> {
    await this.#options.parking.putAside(delivery, {
      state,
      due_at_ms: dueAtMs,
      attempts: delivery.progress.attempts,
      reason: failure.message,
    })
    this.#done(delivery)
  }

  #outage({ subscription }: Delivery, lane: Lane, { message }: Failure): void {
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

  #putBack(delivery: Delivery): void {
    if (this.#isStopped || isAbandoned(delivery)) {
      abandon(delivery)
      this.#queues.finish(delivery.key)
      return
    }
    this.#queues.putBack(delivery)
    this.#dispatchSoon()
  }

  #done(delivery: Delivery): void {
    const { clock, observer } = this.#options.tools
    observer.settled?.(delivery, clock.nowMs())
    if (delivery.source.kind === 'live') delivery.source.done()
    else this.#options.letterSettled(delivery.source.letter.id)
    this.#queues.finish(delivery.key)
  }

  #leave(delivery: Delivery, lane: Lane): void {
    this.#running.delete(delivery)
    lane.end(delivery)
    const settled = this.#settled
    this.#settled = () => {}
    settled()
    this.#dispatchSoon()
  }

  /** X3: the store itself is in trouble, an outage like any other. */
  #trouble(delivery: Delivery, lane: Lane, error: unknown): void {
    this.#options.tools.log.error({ reason: messageOf(error) }, 'an event could not be put aside')
    lane.failed(delivery, { ...failureOf(error), isOutage: true })
    this.#putBack(delivery)
    this.#leave(delivery, lane)
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
