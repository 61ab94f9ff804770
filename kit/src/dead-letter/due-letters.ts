import { readRecord } from '../catalogue/read-record.ts'
import type { Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { type Delivery, freshProgress, queueKey } from '../inbox/delivery.ts'
import type { Subscription } from '../inbox/subscription.ts'
import { dueLettersMax, dueSweepMs } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { dueLetters, type Letter, nextDueAtMs } from './letters.ts'
import type { Parking } from './parking.ts'
import { recordOf } from './stored-record.ts'

export interface DueLettersOptions {
  readonly tools: DeliveryTools
  readonly parking: Parking
  readonly subscriptions: readonly Subscription[]
  readonly deliver: (delivery: Delivery) => void
}

/**
 * Brings letters back when their time has come: retries that were too long for memory, and what
 * somebody redrives. Each takes its place in its key's queue, as if it had just arrived, so that
 * what came meanwhile finds the key held and goes behind it (D1).
 *
 * At most `dueLettersMax` are on their way at once; the rest stays in the store.
 */
export class DueLetters {
  readonly #options: DueLettersOptions
  readonly #active = new Set<number>()
  #timer: Timer | null = null
  #looking: Promise<void> | null = null
  #isAsked = false
  #isStopped = false

  constructor(options: DueLettersOptions) {
    this.#options = options
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
    this.wake()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#looking
  }

  async #look(): Promise<void> {
    this.#isAsked = false
    const { clock, store, log } = this.#options.tools
    this.#timer?.cancel()
    let waitMs = dueSweepMs
    try {
      const nowMs = clock.nowMs()
      const due = await dueLetters(store.read, nowMs, dueLettersMax + this.#active.size)
      for (const letter of due) {
        if (this.#active.size >= dueLettersMax) break
        if (!this.#active.has(letter.id)) await this.#bring(letter)
      }
      const nextMs = await nextDueAtMs(store.read, nowMs)
      if (nextMs !== null) waitMs = Math.min(waitMs, Math.max(nextMs - nowMs, 0))
    } catch (error) {
      log.error({ reason: messageOf(error) }, 'due letters could not be read')
    }
    if (!this.#isStopped) this.#timer = clock.after(waitMs, () => this.wake())
  }

  /** Reads the record anew: its schema may have been mended since. */
  async #bring(letter: Letter): Promise<void> {
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
    this.#active.add(letter.id)
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
