import type { Clock, Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { type Instances, type SlotWorker, soleInstance } from '../instances/instances.ts'
import {
  pruneEveryMs,
  pruneRowsMax,
  scheduleFiredKeptMs,
  scheduleFireRowsMax,
  scheduleSweepMs,
} from '../limits.ts'
import type { Log } from '../log.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import { fireDue, forgetFired, nextDueAtMs, outboxRowOf } from './schedule.ts'

export interface SchedulerOptions {
  readonly store: Store<KitTables>
  readonly outbox: Outbox
  readonly clock: Clock
  readonly log: Log
  /** Default: there is one. */
  readonly instances?: Instances
}

/**
 * Puts events for later into the outbox when their time has come.
 *
 * F1. None enters it before its time by this instance's clock, and each enters it once, in the
 *     transaction that marks it as fired: a crash in between leaves it waiting.
 * F2. Those of one slot, and so of one key, enter it in the order of due time, then id: a slot has
 *     one owner, and is given up only when nothing of it is being fired.
 * F3. One that this process scheduled is fired at its time; one of another process, or of a slot
 *     that was just taken over, at most `scheduleSweepMs` later.
 */
export class Scheduler implements SlotWorker {
  readonly #options: SchedulerOptions
  #timer: Timer | null = null
  #looking: Promise<void> | null = null
  readonly #instances: Instances
  #stopListening: () => void = () => {}
  #prunedAtMs = Number.NEGATIVE_INFINITY
  #isAsked = false
  #isStopped = false

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#instances = options.instances ?? soleInstance
  }

  start(): void {
    const stopHearing = this.#options.outbox.schedule.onCommitted(() => this.wake())
    const leave = this.#instances.join(this)
    this.#stopListening = () => {
      stopHearing()
      leave()
    }
    this.wake()
  }

  /** Looks for what is due, soon. */
  wake(): void {
    this.#isAsked = true
    if (this.#isStopped) return
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
      if (this.#isAsked) this.wake()
    })
  }

  gained(): void {
    this.wake()
  }

  async ended(): Promise<void> {
    await this.#looking
  }

  /** What others schedule is found by the sweep (F3). */
  called(): void {}

  /** Fires nothing more; what waits is in the store. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#stopListening()
    this.#timer?.cancel()
    await this.#looking
  }

  async #look(): Promise<void> {
    this.#isAsked = false
    this.#timer?.cancel()
    const { clock, log } = this.#options
    let nextMs: number | null = null
    try {
      nextMs = await this.#fire()
      await this.#prune()
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'scheduled events wait, and are tried again')
    }
    if (this.#isStopped) return
    const dueMs = nextMs === null ? scheduleSweepMs : Math.max(nextMs - clock.nowMs(), 0)
    this.#timer = clock.after(Math.min(dueMs, scheduleSweepMs), () => this.wake())
  }

  /** Fires all that is due; gives the time of the next, or null. */
  async #fire(): Promise<number | null> {
    const { store, outbox, clock } = this.#options
    for (;;) {
      const owned = this.#instances.owned()
      if (owned.length === 0 || this.#isStopped) return null
      const nextMs = await nextDueAtMs(store.read, owned)
      const nowMs = clock.nowMs()
      if (nextMs === null || nextMs > nowMs) return nextMs
      const options = { nowMs, slots: owned, rowsMax: scheduleFireRowsMax }
      const fired = await store.transaction('fire scheduled events', async (db) => {
        const rows = (await fireDue(db, options)).map(outboxRowOf)
        await outbox.append(db, rows)
        return rows
      })
      outbox.committed(fired)
      outbox.schedule.fired(fired.length)
      // What was due when we looked was moved, cancelled or fired elsewhere: the sweep looks again.
      if (fired.length === 0) return null
    }
  }

  async #prune(): Promise<void> {
    const { store, outbox, clock } = this.#options
    const nowMs = clock.nowMs()
    if (nowMs - this.#prunedAtMs < pruneEveryMs) return
    this.#prunedAtMs = nowMs
    await outbox.schedule.recount(store.read)
    const forget = () =>
      store.transaction('forget fired events', (db) => forgetFired(db, nowMs - scheduleFiredKeptMs))
    while (!this.#isStopped && (await forget()) === pruneRowsMax);
  }
}
