import type { Transaction } from 'kysely'
import type { AnyEvent } from '../catalogue/catalogue.ts'
import { type RecordOrigin, recordId } from '../catalogue/read-record.ts'
import { MillraceError } from '../errors.ts'
import { newEventId } from '../event-id.ts'
import { type Delivery, queueKey } from '../inbox/delivery.ts'
import { type Fence, holdClaim } from '../inbox/fence.ts'
import { slotOf } from '../instances/slot.ts'
import { deadLettersMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { keyHash } from '../outbox/partitioner.ts'
import type { UnwrittenRow } from '../outbox/place.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { DeadLetterState } from '../store/tables/dead-letters.ts'
import type { IncomingRecord } from '../transport/transport.ts'
import { type Announcer, announcementOf, type LetterRow, tombstoneOf } from './announcement.ts'
import {
  countLetters,
  deleteLetter,
  headOf,
  heldKeyCounts,
  insertLetter,
  type Letter,
  letterById,
  lockKeys,
  untouched,
  updateLetter,
} from './letters.ts'
import { columnsOf } from './stored-record.ts'

/**
 * Puts events aside, and knows which keys are held back by one that was (P5). Every change of a
 * letter is announced in its own transaction, through the outbox.
 *
 * D1. A key is held as long as it has a letter. The store knows: the transaction of each live event
 *     finds no letter of its key, or handles nothing (`admission.ts`). `isHeld` only remembers, so
 *     that the handler is not called in vain; other instances and operators change letters, too.
 * D2. Of a held key only the first letter may run. When it is gone, the next is due in the same
 *     transaction, so that no crash leaves a key without a head.
 * D3. Who adds a letter to a key, or takes one away, holds the key's lock to the end of its
 *     transaction: none is put behind a head that is just leaving.
 * D4. A letter for a record that came in under a claim commits only under it (`fence.ts`).
 */
export class Parking {
  readonly #tools: DeliveryTools
  readonly #announcer: Announcer
  readonly #wake: () => void
  readonly #fence: Fence
  /** Letters by queue key, as far as this instance knows (D1). */
  #held = new Map<string, number>()
  #count = 0
  /** Counts what this instance did to them, so that `load` sees that it was overtaken. */
  #changes = 0

  /** `wake` is called when a letter may be due that was not before. */
  constructor(tools: DeliveryTools, fence: Fence, wake: () => void) {
    this.#tools = tools
    this.#fence = fence
    this.#wake = wake
    const { service, clock, random } = tools
    this.#announcer = { service: service.name, group: service.group, clock, random }
  }

  get heldKeys(): number {
    return this.#held.size
  }

  /** Learns what others left. Call it before the first delivery of a partition. */
  async load(): Promise<void> {
    const { read } = this.#tools.store
    for (;;) {
      const changes = this.#changes
      const count = await countLetters(read)
      const counts = await heldKeyCounts(read)
      if (changes !== this.#changes) continue
      this.#count = count
      this.#held = new Map(counts.map((held) => [queueKey(held.stream, held.key, ''), held.count]))
      return
    }
  }

  /** Whether an earlier event of its key holds it back, as far as is known: see D1. */
  isHeld(delivery: Delivery): boolean {
    return !isFree(delivery) && this.#held.has(delivery.key)
  }

  /** Puts a delivery aside: it waits, is given up, or stands behind another of its key. */
  async putAside(delivery: Delivery, change: LetterChange): Promise<void> {
    if (delivery.source.kind === 'stored') await this.change(delivery.source.letter.id, change)
    else await this.#putAsideAnew(delivery, change)
    const { clock, observer } = this.#tools
    observer.parked?.(delivery, change, clock.nowMs())
  }

  /**
   * Puts a live delivery behind the letters of its key. False where there is none any more: then
   * it is to be handled.
   */
  async putBehind(delivery: Delivery): Promise<boolean> {
    const reason = 'an earlier event of its key is parked'
    const change = { state: 'behind', due_at_ms: null, attempts: 0, reason } as const
    if (!(await this.#putAsideAnew(delivery, change))) {
      this.#held.delete(delivery.key)
      return false
    }
    const { clock, observer } = this.#tools
    observer.parked?.(delivery, change, clock.nowMs())
    return true
  }

  async #putAsideAnew(delivery: Delivery, change: LetterChange): Promise<boolean> {
    const { event, eventKey, subscription, record, origin } = delivery
    const heldKey = change.state === 'skipped' || isFree(delivery) ? null : eventKey
    // One from a retry topic is redriven as if it came from its own.
    const { topic } = subscription
    const row = { ...this.#rowOf(event, record, origin), topic }
    const outcome = await this.#insert(`put aside ${event.eventId}`, origin, {
      ...row,
      ...change,
      subscription: subscription.name,
      stream: subscription.stream,
      held_key: heldKey,
      slot: slotOfLetter(subscription.stream, heldKey, row.letter_id),
    })
    if (outcome === 'headless') return false
    if (outcome === 'inserted' && heldKey !== null) {
      this.#held.set(delivery.key, (this.#held.get(delivery.key) ?? 0) + 1)
    }
    this.#wake()
    return true
  }

  /** Keeps the bytes of a record that is no event (P8). Its key, if it has one, is not held. */
  async reject(record: IncomingRecord, origin: RecordOrigin, reason: string): Promise<void> {
    const row = this.#rowOf(null, record, origin)
    await this.#insert(`reject ${recordId(record, origin)}`, origin, {
      ...row,
      state: 'rejected',
      due_at_ms: null,
      attempts: 0,
      reason,
      subscription: record.topic,
      stream: record.topic,
      held_key: null,
      slot: slotOfLetter(record.topic, null, row.letter_id),
    })
  }

  async change(id: number, change: LetterChange): Promise<void> {
    await this.#transaction(`letter ${id}`, async (db) => {
      const letter = await updateLetter(db, id, change)
      const rows = letter === null ? [] : [announcementOf(letter, this.#announcer)]
      return { result: null, rows }
    })
  }

  /** As `remove`, for the letter that was just handled. */
  async complete(id: number, db: Transaction<KitTables>): Promise<() => void> {
    const letter = await letterById(db, id)
    return letter === null ? () => {} : this.remove(db, letter)
  }

  /**
   * Removes a letter, inside a transaction of its caller, and makes the next of its key due
   * (D2). Returns what is to be called after the commit.
   */
  async remove(db: Transaction<KitTables>, letter: Letter): Promise<() => void> {
    const { outbox, clock, store } = this.#tools
    await lockKeys(db, [letter], store.dialect) // D3
    if (!(await deleteLetter(db, letter.id))) return () => {}
    const rows = [tombstoneOf(letter.letter_id, this.#announcer)]
    await outbox.append(db, rows)
    if (letter.held_key !== null) {
      const head = await headOf(db, letter.stream, letter.held_key)
      if (head?.state === 'behind') {
        await updateLetter(db, head.id, { state: 'waiting', due_at_ms: clock.nowMs() })
      }
    }
    return () => {
      outbox.committed(rows)
      this.#count -= 1
      this.#changes += 1
      if (letter.held_key !== null) this.#release(queueKey(letter.stream, letter.held_key, ''))
      this.#wake()
    }
  }

  /** Tells of letters that were changed inside a transaction; see `remove` for what it returns. */
  async announce(db: Transaction<KitTables>, letters: readonly Letter[]): Promise<() => void> {
    const rows = letters.map((letter) => announcementOf(letter, this.#announcer))
    await this.#tools.outbox.append(db, rows)
    return () => this.#tools.outbox.committed(rows)
  }

  #release(key: string): void {
    const count = (this.#held.get(key) ?? 0) - 1
    if (count > 0) this.#held.set(key, count)
    else this.#held.delete(key)
  }

  #rowOf(event: AnyEvent | null, record: IncomingRecord, origin: RecordOrigin) {
    const { clock, random } = this.#tools
    const nowMs = clock.nowMs()
    return {
      letter_id: newEventId(nowMs, random),
      parked_at_ms: nowMs,
      event_id: event?.eventId ?? recordId(record, origin),
      event_type: event?.eventType ?? null,
      correlation_id: event?.correlationId ?? null,
      ...columnsOf(record, origin),
      ...untouched,
    }
  }

  /**
   * Throws `dead-letters-full`: what cannot be put aside waits, as in an outage. Nothing is
   * written of a letter that was to stand behind another where there is none (D2).
   */
  async #insert(name: string, origin: RecordOrigin, row: LetterRow): Promise<Insertion> {
    if (this.#count >= deadLettersMax) {
      throw new MillraceError(
        'dead-letters-full',
        `${this.#count} dead letters are put aside, and the limit is ${deadLettersMax}: redrive ` +
          'or discard some',
        { retriable: true },
      )
    }
    const { dialect } = this.#tools.store
    const outcome = await this.#transaction<Insertion>(name, async (db) => {
      await holdClaim(db, this.#fence.claimOf(origin), dialect) // D4
      await lockKeys(db, [row], dialect) // D3
      const isHeadless = row.state === 'behind' && (await this.#headOf(db, row)) === null
      if (isHeadless) return { result: 'headless', rows: [] }
      if (!(await insertLetter(db, row))) return { result: 'known', rows: [] }
      return { result: 'inserted', rows: [announcementOf(row, this.#announcer)] }
    })
    if (outcome === 'inserted') this.#count += 1
    this.#changes += 1
    return outcome
  }

  async #headOf(db: Transaction<KitTables>, { stream, held_key }: LetterRow) {
    return held_key === null ? null : headOf(db, stream, held_key)
  }

  /** Says the rows that `work` returns, in its own transaction. Returns its result. */
  async #transaction<Result>(
    name: string,
    work: (db: Transaction<KitTables>) => Promise<{
      readonly result: Result
      readonly rows: readonly UnwrittenRow[]
    }>,
  ): Promise<Result> {
    const { store, outbox } = this.#tools
    const { result, rows } = await store.transaction(name, async (db) => {
      const done = await work(db)
      await outbox.append(db, done.rows)
      return done
    })
    outbox.committed(rows)
    return result
  }
}

/** What became of a letter that was to be written: see `#insert`. */
type Insertion = 'inserted' | 'known' | 'headless'

export interface LetterChange {
  readonly state: DeadLetterState
  readonly due_at_ms: number | null
  readonly attempts: number
  readonly reason: string
}

/** An event of a handler that needs no order holds back nothing, and nothing holds it back. */
function isFree({ subscription }: Delivery): boolean {
  return subscription.options.onExhausted === 'skip'
}

/** All letters of a key are in one slot; one that holds no key is anywhere. */
function slotOfLetter(stream: string, heldKey: string | null, letterId: string): number {
  return slotOf(keyHash(queueKey(stream, heldKey, letterId)))
}
