import type { Insertable, Kysely, Selectable, Transaction } from 'kysely'
import { sql } from 'kysely'
import { MillraceError } from '../errors.ts'
import { slotOf } from '../instances/slot.ts'
import { pruneRowsMax, scheduledMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { OutboxRow } from '../store/tables/outbox.ts'
import type { ScheduleRow } from '../store/tables/schedule.ts'

/** What became of a scheduled event that somebody wanted to take back. */
export type CancelOutcome =
  /** It waited, and will not be said once the transaction commits. */
  | { readonly kind: 'cancelled' }
  /** Too late: it was due, and is in the outbox or said. */
  | { readonly kind: 'fired' }
  /** There is none of that id, or it fired long ago. */
  | { readonly kind: 'unknown' }

/** An event for later, as a transaction schedules it. */
export interface Scheduled {
  readonly kind: ScheduleRow['kind']
  readonly scheduleId: string
  readonly dueAtMs: number
  /** What enters the outbox at that time. */
  readonly row: Insertable<OutboxRow>
}

/**
 * The rows that wait for their time, for those who write them and for the one who fires them.
 *
 * C1. A row is fired once, in the transaction in which it enters the outbox.
 * C2. A listener is called only after rows have been committed.
 */
export class Schedule {
  readonly #listeners = new Set<() => void>()
  /** As counted last, with what was committed here since: near enough for a limit. */
  #waiting = 0

  /** Counts what waits. */
  async recount(db: Kysely<KitTables>): Promise<void> {
    const { count } = await db
      .selectFrom('millrace_schedule')
      .select(sql<number>`count(*)`.as('count'))
      .where('fired_at_ms', 'is', null)
      .executeTakeFirstOrThrow()
    this.#waiting = count
  }

  /**
   * Adds events for later, or moves those whose id waits already; one whose id has fired is
   * scheduled anew. Throws `schedule-full`.
   */
  async add(db: Kysely<KitTables>, given: readonly Scheduled[]): Promise<void> {
    if (given.length === 0) return
    if (this.#waiting + given.length > scheduledMax) {
      throw new MillraceError(
        'schedule-full',
        `${this.#waiting} events wait for their time, and the limit is ${scheduledMax}`,
        { retriable: true },
      )
    }
    for (const scheduled of given) {
      const row = scheduleRowOf(scheduled)
      await db
        .insertInto('millrace_schedule')
        .values(row)
        .onConflict((conflict) => conflict.columns(['kind', 'schedule_id']).doUpdateSet(row))
        .execute()
    }
  }

  /** Takes an event back, unless it has fired. */
  async cancel(
    db: Kysely<KitTables>,
    kind: ScheduleRow['kind'],
    scheduleId: string,
  ): Promise<CancelOutcome> {
    const { numDeletedRows } = await db
      .deleteFrom('millrace_schedule')
      .where('kind', '=', kind)
      .where('schedule_id', '=', scheduleId)
      .where('fired_at_ms', 'is', null)
      .executeTakeFirstOrThrow()
    if (numDeletedRows > 0n) return { kind: 'cancelled' }
    const fired = await db
      .selectFrom('millrace_schedule')
      .select('id')
      .where('kind', '=', kind)
      .where('schedule_id', '=', scheduleId)
      .executeTakeFirst()
    return { kind: fired === undefined ? 'unknown' : 'fired' }
  }

  /** To be called once the transaction of `add` has committed (C2). */
  committed(count: number): void {
    if (count === 0) return
    this.#waiting += count
    for (const notify of this.#listeners) notify()
  }

  /** To be called once rows have fired. */
  fired(count: number): void {
    this.#waiting -= count
  }

  /** Calls `notify` after each commit that scheduled something. Returns the way to stop it. */
  onCommitted(notify: () => void): () => void {
    this.#listeners.add(notify)
    return () => this.#listeners.delete(notify)
  }
}

export interface FireOptions {
  readonly nowMs: number
  /** Whose rows. */
  readonly slots: readonly number[]
  readonly rowsMax: number
}

/**
 * Marks what is due as fired, inside the transaction that puts it into the outbox (C1), and
 * gives it in the order in which it was due. Who fires at the same time elsewhere gets others.
 */
export async function fireDue(
  db: Transaction<KitTables>,
  { nowMs, slots, rowsMax }: FireOptions,
): Promise<Selectable<ScheduleRow>[]> {
  const due = db
    .selectFrom('millrace_schedule')
    .select('id')
    .where('fired_at_ms', 'is', null)
    .where('due_at_ms', '<=', nowMs)
    .where('slot', 'in', slots)
    .orderBy('due_at_ms')
    .orderBy('id')
    .limit(rowsMax)
  const fired = await db
    .updateTable('millrace_schedule')
    .set({ fired_at_ms: nowMs })
    .where('id', 'in', due)
    // Both again: on PostgreSQL another transaction may have moved or fired it meanwhile.
    .where('fired_at_ms', 'is', null)
    .where('due_at_ms', '<=', nowMs)
    .returningAll()
    .execute()
  return fired.sort((a, b) => a.due_at_ms - b.due_at_ms || a.id - b.id)
}

/** When the next of what waits is due, past or future; null where nothing waits. */
export async function nextDueAtMs(
  db: Kysely<KitTables>,
  slots: readonly number[],
): Promise<number | null> {
  const { next } = await db
    .selectFrom('millrace_schedule')
    .select(({ fn }) => fn.min('due_at_ms').as('next'))
    .where('fired_at_ms', 'is', null)
    .where('slot', 'in', slots)
    .executeTakeFirstOrThrow()
  return next
}

/** Forgets rows that fired before then. Returns how many; again while that is `pruneRowsMax`. */
export async function forgetFired(db: Kysely<KitTables>, beforeMs: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('millrace_schedule')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('millrace_schedule')
        .select('id')
        .where('fired_at_ms', '<', beforeMs)
        .limit(pruneRowsMax),
    )
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

function scheduleRowOf({ kind, scheduleId, dueAtMs, row }: Scheduled): Insertable<ScheduleRow> {
  return {
    kind,
    schedule_id: scheduleId,
    due_at_ms: dueAtMs,
    slot: slotOf(row.hash),
    fired_at_ms: null,
    event_id: row.event_id,
    event_type: row.event_type,
    topic: row.topic,
    stream: row.stream,
    key: row.key ?? null,
    hash: row.hash,
    value: row.value ?? null,
    headers: row.headers,
  }
}

/** What a fired row says, as the outbox takes it. Its time is when it was due. */
export function outboxRowOf(fired: Selectable<ScheduleRow>): Insertable<OutboxRow> {
  const { event_id, event_type, topic, stream, key, hash, value, headers, due_at_ms } = fired
  return {
    event_id,
    event_type,
    topic,
    stream,
    key,
    hash,
    value,
    headers,
    timestamp_ms: due_at_ms,
  }
}
