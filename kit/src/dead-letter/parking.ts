import type { Insertable, Transaction } from 'kysely'
import type { AnyEvent } from '../catalogue/catalogue.ts'
import { type RecordOrigin, recordId } from '../catalogue/read-record.ts'
import { MillraceError } from '../errors.ts'
import { newEventId } from '../event-id.ts'
import type { Delivery } from '../inbox/delivery.ts'
import { queueKey } from '../inbox/delivery.ts'
import { deadLettersMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { DeadLetterState } from '../store/tables/dead-letters.ts'
import type { OutboxRow } from '../store/tables/outbox.ts'
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
  updateLetter,
} from './letters.ts'
import { columnsOf } from './stored-record.ts'

/**
 * Puts events aside, and knows which keys are held back by one that was (P5). Every change of a
 * letter is announced in its own transaction, through the outbox.
 *
 * D1. A key is held as long as it has a letter. `isHeld` is asked, and letters are written, only
 *     by who has the key out of its queue; an operator may discard one at any time.
 * D2. Of a held key only the first letter may run. When it is gone, the next is due in the same
 *     transaction, so that no crash leaves a key without a head.
 */
export class Parking {
  readonly #tools: DeliveryTools
  readonly #announcer: Announcer
  readonly #wake: () => void
  /** Letters by queue key. */
  readonly #held = new Map<string, number>()
  #count = 0

  /** `wake` is called when a letter may be due that was not before. */
  constructor(tools: DeliveryTools, wake: () => void) {
    this.#tools = tools
    this.#wake = wake
    const { service, clock, random } = tools
    this.#announcer = { service: service.name, group: service.group, clock, random }
  }

  get heldKeys(): number {
    return this.#held.size
  }

  /** Learns what an earlier run left. Call it before the first delivery. */
  async load(): Promise<void> {
    const { read } = this.#tools.store
    this.#count = await countLetters(read)
    const counts = await heldKeyCounts(read)
    for (const { stream, key, count } of counts) {
      this.#held.set(queueKey(stream, key, ''), count)
    }
  }

  /** Whether an earlier event of its key holds it back: see D1. */
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

  async #putAsideAnew(delivery: Delivery, change: LetterChange): Promise<void> {
    const { event, eventKey, subscription, record, origin } = delivery
    const heldKey = change.state === 'skipped' || isFree(delivery) ? null : eventKey
    const row = {
      ...this.#rowOf(event, record, origin),
      ...change,
      subscription: subscription.name,
      stream: subscription.stream,
      held_key: heldKey,
    }
    const inserted = await this.#insert(`put aside ${event.eventId}`, row)
    if (inserted && heldKey !== null) {
      this.#held.set(delivery.key, (this.#held.get(delivery.key) ?? 0) + 1)
    }
    this.#wake()
  }

  /** Keeps the bytes of a record that is no event (P8). Its key, if it has one, is not held. */
  async reject(record: IncomingRecord, origin: RecordOrigin, reason: string): Promise<void> {
    await this.#insert(`reject ${recordId(record, origin)}`, {
      ...this.#rowOf(null, record, origin),
      state: 'rejected',
      due_at_ms: null,
      attempts: 0,
      reason,
      subscription: record.topic,
      stream: record.topic,
      held_key: null,
    })
  }

  async change(id: number, change: LetterChange): Promise<void> {
    await this.#transaction(`letter ${id}`, async (db) => {
      const letter = await updateLetter(db, id, change)
      return letter === null ? [] : [announcementOf(letter, this.#announcer)]
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
    const { outbox, clock } = this.#tools
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
    }
  }

  /** Throws `dead-letters-full`: what cannot be put aside waits, as in an outage. */
  async #insert(name: string, given: LetterRow): Promise<boolean> {
    if (this.#count >= deadLettersMax) {
      throw new MillraceError(
        'dead-letters-full',
        `${this.#count} dead letters are put aside, and the limit is ${deadLettersMax}: redrive ` +
          'or discard some',
        { retriable: true },
      )
    }
    const inserted = await this.#transaction(name, async (db) => {
      const row = await this.#headed(db, given)
      return (await insertLetter(db, row)) ? [announcementOf(row, this.#announcer)] : []
    })
    this.#count += inserted
    return inserted > 0
  }

  /** What it was to stand behind may have been discarded just now: then it is the head (D2). */
  async #headed(db: Transaction<KitTables>, row: LetterRow): Promise<LetterRow> {
    if (row.state !== 'behind' || row.held_key === null) return row
    if ((await headOf(db, row.stream, row.held_key)) !== null) return row
    return { ...row, state: 'waiting', due_at_ms: this.#tools.clock.nowMs() }
  }

  /** Says what `work` returns, in its own transaction. Returns how much that was. */
  async #transaction(
    name: string,
    work: (db: Transaction<KitTables>) => Promise<readonly Insertable<OutboxRow>[]>,
  ): Promise<number> {
    const { store, outbox } = this.#tools
    const said = await store.transaction(name, async (db) => {
      const rows = await work(db)
      await outbox.append(db, rows)
      return rows
    })
    outbox.committed(said)
    return said.length
  }
}

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
