import { MillraceError, messageOf } from '../errors.ts'
import type { BreakerState } from '../retry/breaker.ts'
import { type Failure, failureOf } from '../retry/failure.ts'
import { retryInMemoryMsMax } from '../retry/limits.ts'
import { afterFailure } from '../retry/policy.ts'
import type { DeliveryOutcome } from './deliver.ts'
import { type Delivery, isAbandoned } from './delivery.ts'
import type { DispatcherOptions } from './dispatcher.ts'
import { Fenced } from './fence.ts'
import type { Run } from './runs.ts'

/** What becomes of the deliveries that a run has in hand. */
export interface Hand {
  /** All of them go back to their keys, but for those that leave us. */
  putBack(run: Run): void
  done(run: Run, deliveries: readonly Delivery[]): void
  /** It waits in memory, and its key with it. */
  hold(run: Run, delivery: Delivery, delayMs: number): void
  /** Those that wait in memory. */
  held(): Iterable<Delivery>
}

export type SettlementOptions = Omit<DispatcherOptions, 'letterSettled' | 'subscriptions'>

/**
 * What follows a run: done, tried again, put aside, or an outage.
 *
 * T1. Nothing that fails here is lost: what cannot even be put aside goes back to its queue.
 * T2. A batch that fails says nothing of its events: they run again in batches of half its size,
 *     so that the one that is to blame fails alone in the end.
 */
export class Settlement {
  readonly #options: SettlementOptions
  readonly #hand: Hand
  readonly #told = new WeakSet<BreakerState>()

  constructor(options: SettlementOptions, hand: Hand) {
    this.#options = options
    this.#hand = hand
  }

  /** Decides what follows a run, and does it. Throws where that could not be done. */
  async settle(run: Run, outcome: DeliveryOutcome): Promise<void> {
    const { deliveries } = run
    const [first] = deliveries
    if (first === undefined) return
    switch (outcome.kind) {
      case 'handled':
        this.#succeeded(run)
        this.#hand.done(run, deliveries)
        return
      case 'repeat':
        if (deliveries.length > 1) this.#halve(run)
        else await this.#repeated(run, first)
        return
      case 'held':
        if (deliveries.length > 1) this.#halve(run)
        // Where nothing holds it any more, it goes back to its key and is handled.
        else if (await this.#options.parking.putBehind(first)) this.#hand.done(run, [first])
        else this.#hand.putBack(run)
        return
      case 'fenced':
        this.#fenced(run)
        return
      case 'abandoned':
        this.#hand.putBack(run)
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
      this.#hand.putBack(run)
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
    this.#hand.putBack(run)
  }

  async #failed(run: Run, delivery: Delivery, failure: Failure): Promise<void> {
    const { lane } = run
    // What a move cut short is nobody's fault: it comes again.
    if (isAbandoned(delivery)) {
      this.#hand.putBack(run)
      return
    }
    if (lane.failed(delivery, failure, run) === 'outage') {
      this.#outage(run, failure)
      this.#hand.putBack(run)
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
    } else if (next.kind === 'topic' && delivery.source.kind === 'live') {
      await this.#sendOn(run, delivery, { failure, delayMs: next.delayMs })
    } else if (delivery.source.kind === 'stored' || next.delayMs > retryInMemoryMsMax) {
      const dueAtMs = clock.nowMs() + next.delayMs
      await this.#putAside(run, delivery, { state: 'waiting', failure, dueAtMs })
    } else {
      this.#hand.hold(run, delivery, next.delayMs)
      observer.delayed?.(delivery, next.delayMs, clock.nowMs())
    }
  }

  /** By way of a retry topic; where Kafka will never take it, it is given up. */
  async #sendOn(
    run: Run,
    delivery: Delivery,
    { failure, delayMs }: { readonly failure: Failure; readonly delayMs: number },
  ): Promise<void> {
    const { retryTopics, tools } = this.#options
    try {
      await retryTopics.send(delivery, delayMs, failure.message)
    } catch (error) {
      if (!(error instanceof MillraceError) || error.retriable) throw error
      const message = `${failure.message}; ${error.message}`
      await this.#putAside(run, delivery, {
        state: 'skipped',
        failure: { ...failure, message },
        dueAtMs: null,
      })
      return
    }
    tools.observer.delayed?.(delivery, delayMs, tools.clock.nowMs())
    this.#hand.done(run, [delivery])
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
    this.#hand.done(run, [delivery])
  }

  #outage({ lane, subscription }: Run, { message }: Failure): void {
    const { state } = lane
    if (state.kind !== 'open') return
    for (const held of this.#hand.held()) {
      if (held.subscription === subscription) lane.excuse(held)
    }
    // One line for the outage and each probe, not for all that was running meanwhile.
    if (this.#told.has(state)) return
    this.#told.add(state)
    const told = { event: subscription.name, reason: message, probes: state.probes }
    this.#options.tools.log.error(told, 'an outage: the subscription waits and probes')
  }

  /** Its partition is given up, and so is what came of it: whoever has it now hears it. */
  #fenced(run: Run): void {
    for (const delivery of run.deliveries) this.#options.fenced(delivery)
    this.#hand.putBack(run)
  }

  /** T1: the store itself is in trouble, an outage like any other. */
  trouble(run: Run, error: unknown): void {
    if (error instanceof Fenced) {
      this.#fenced(run)
      return
    }
    this.#options.tools.log.error({ reason: messageOf(error) }, 'an event could not be put aside')
    const [first] = run.deliveries
    if (first !== undefined) {
      run.lane.failed(first, { ...failureOf(error), isOutage: true }, run)
      this.#hand.putBack(run)
    }
  }

  /** It was handled from another copy of its record; a letter of it goes. */
  async #repeated(run: Run, delivery: Delivery): Promise<void> {
    if (delivery.source.kind === 'stored') await this.#removeLetter(delivery.source.letter.id)
    this.#hand.done(run, [delivery])
  }

  async #removeLetter(letterId: number): Promise<void> {
    const { parking, tools } = this.#options
    const afterwards = await tools.store.transaction(`letter ${letterId}`, (db) =>
      parking.complete(letterId, db),
    )
    afterwards()
  }
}
