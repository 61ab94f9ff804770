import { readRecord } from '../catalogue/read-record.ts'
import type { Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { type Delivery, freshProgress, queueKey } from '../inbox/delivery.ts'
import type { Subscription } from '../inbox/subscription.ts'
import type { Instances } from '../instances/instances.ts'
import { dueLettersMax, dueSweepMs, letterLeaveMsMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { dueLetters, type Letter, nextDueAtMs } from './letters.ts'
import type { Parking } from './parking.ts'
import { recordOf } from './stored-record.ts'

export interface DueLettersOptions {
  readonly tools: DeliveryTools
  readonly parking: Parking
  readonly subscriptions: readonly Subscription[]
  readonly deliver: (delivery: Delivery) => void
  /** Letters are tried by the owner of their slot. */
  readonly instances: Instances
}

/** A letter on its way. */
interface Active {
  /** Whose share of `dueLettersMax` it takes. */
  readonly choice: string
  readonly slot: number
}

/**
 * Brings letters back when their time has come: retries that were too long for memory, and what
 * somebody redrives. Each takes its place in its key's queue, as if it had just arrived, so that
 * what came meanwhile finds the key held and goes behind it (D1).
 *
 * U1. Of each subscription at most `dueLettersMax` are on their way at once, so that those of one
 *     which an outage has stopped delay no others (P4); the rest stays in the store.
 * U2. Of several instances the owner of a letter's slot tries it, and all letters of a key are in
 *     one slot. One that is tried twice all the same, because a slot was lost meanwhile, is handled
 *     once: its inbox row decides.
 */
export class DueLetters {
  readonly #options: DueLettersOptions
  readonly #active = new Map<number, Active>()
  readonly #leave: () => void
  #timer: Timer | null = null
  #looking: Promise<void> | null = null
  /** Those who wait for letters to be tried. */
  #waiting: (() => void)[] = []
  #isAsked = false
  #isStopped = false

  constructor(options: DueLettersOptions) {
    this.#options = options
    this.#leave = options.instances.join({
      gained: () => this.wake(),
      ended: (slots) => this.#ended(slots),
      called: ({ kind }) => {
        if (kind === 'letters') this.wake()
      },
    })
  }

  /** Looks for due letters, soon. */
  wake(): void {
    this.#isAsked = true
    if (this.#isStopped) return
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
      if (this.#isAsked) this.wake()
    })
  }

  /** A letter that was on its way has been tried. */
  settled(letterId: number): void {
    this.#active.delete(letterId)
    this.#settled()
    this.wake()
  }

  /** What an outage keeps from being tried is not waited for longer than `letterLeaveMsMax` (U2). */
  async #ended(slots: readonly number[]): Promise<void> {
    const late = Promise.withResolvers<'late'>()
    const { clock } = this.#options.tools
    const timer = clock.after(letterLeaveMsMax, () => late.resolve('late'))
    const isActive = () => [...this.#active.values()].some(({ slot }) => slots.includes(slot))
    while (isActive() && !this.#isStopped) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.push(resolve)
      if ((await Promise.race([promise, late.promise])) === 'late') break
    }
    timer.cancel()
  }

  #settled(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const tell of waiting) tell()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#leave()
    this.#settled()
    this.#timer?.cancel()
    await this.#looking
  }

  async #look(): Promise<void> {
    this.#isAsked = false
    const { tools, instances } = this.#options
    const { clock, store, log } = tools
    this.#timer?.cancel()
    let waitMs = dueSweepMs
    try {
      const nowMs = clock.nowMs()
      const slots = instances.owned()
      const firstMs = await nextDueAtMs(store.read, slots, Number.MIN_SAFE_INTEGER)
      if (firstMs !== null && firstMs <= nowMs) await this.#bringDue(slots, nowMs)
      const nextMs = await nextDueAtMs(store.read, slots, nowMs)
      if (nextMs !== null) waitMs = Math.min(waitMs, Math.max(nextMs - nowMs, 0))
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'due letters could not be read')
    }
    if (!this.#isStopped) this.#timer = clock.after(waitMs, () => this.wake())
  }

  async #bringDue(slots: readonly number[], nowMs: number): Promise<void> {
    const names = this.#options.subscriptions.map(({ name }) => name)
    const choices = [...names.map((name) => ({ name })), { noneOf: names }]
    for (const subscription of choices) {
      const choice = 'name' in subscription ? subscription.name : ''
      const ofChoice = [...this.#active.values()].filter((active) => active.choice === choice)
      let free = dueLettersMax - ofChoice.length
      if (free <= 0) continue
      const { read } = this.#options.tools.store
      const limits = { nowMs, rowsMax: dueLettersMax + ofChoice.length }
      for (const letter of await dueLetters(read, { slots, subscription }, limits)) {
        if (free <= 0 || this.#active.has(letter.id)) continue
        free -= 1
        await this.#bring(letter, choice)
      }
    }
  }

  /** Reads the record anew: its schema may have been mended since. */
  async #bring(letter: Letter, choice: string): Promise<void> {
    const { subscriptions, deliver, parking } = this.#options
    const { record, origin } = recordOf(letter)
    const catalogue = subscriptions.find(({ topic }) => topic === letter.topic)?.catalogue
    if (catalogue === undefined) {
      await parking.change(letter.id, givenUp(letter, `nothing listens to "${letter.topic}"`))
      return
    }
    const read = await readRecord(catalogue, record, origin)
    if (read.kind === 'misfit') {
      await parking.change(letter.id, givenUp(letter, read.reason))
      return
    }
    const subscription = subscriptions.find(({ name }) => name === read.event.eventType)
    if (subscription === undefined) {
      const reason = `nothing handles "${read.event.eventType}"`
      await parking.change(letter.id, givenUp(letter, reason))
      return
    }
    this.#active.set(letter.id, { choice, slot: letter.slot })
    const { clock, observer } = this.#options.tools
    const heardAtMs = clock.nowMs()
    const delivery: Delivery = {
      key: queueKey(letter.stream, letter.held_key, letter.letter_id),
      lane: subscription.name,
      subscription,
      event: read.event,
      eventKey: letter.held_key,
      traceparent: read.traceparent,
      tracestate: read.tracestate,
      heardAtMs,
      record,
      origin,
      source: { kind: 'stored', letter: { id: letter.id, letterId: letter.letter_id } },
      // It may have been handled from another copy of its record meanwhile.
      progress: freshProgress({ attempts: letter.attempts, maybeRepeat: true }),
    }
    observer.heard?.(delivery, heardAtMs)
    deliver(delivery)
  }
}

function givenUp(letter: Letter, reason: string) {
  const state = letter.held_key === null ? ('rejected' as const) : ('parked' as const)
  return { state, due_at_ms: null, attempts: letter.attempts, reason }
}
