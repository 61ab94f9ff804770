import type { Insertable, Kysely, Selectable, Updateable } from 'kysely'
import type { KitTables } from '../store/kit-tables.ts'
import type { DeadLetterRow, DeadLetterState } from '../store/tables/dead-letters.ts'

/** The queries on dead letters, each for use inside a transaction of its caller. */

type Db = Kysely<KitTables>
export type Letter = Selectable<DeadLetterRow>

/** False where the event is put aside already: a record that came again. */
export async function insertLetter(db: Db, row: Insertable<DeadLetterRow>): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('millrace_dead_letters')
    .values(row)
    .onConflict((conflict) => conflict.columns(['event_id', 'subscription']).doNothing())
    .executeTakeFirstOrThrow()
  return (numInsertedOrUpdatedRows ?? 0n) > 0n
}

export async function letterById(db: Db, id: number): Promise<Letter | null> {
  const found = await db
    .selectFrom('millrace_dead_letters')
    .selectAll()
    .where('id', '=', id)
    .executeTakeFirst()
  return found ?? null
}

/** The letter as it is after the change, or null where it is gone. */
export async function updateLetter(
  db: Db,
  id: number,
  change: Updateable<DeadLetterRow>,
): Promise<Letter | null> {
  const updated = await db
    .updateTable('millrace_dead_letters')
    .set(change)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return updated ?? null
}

/** False where somebody else removed it. */
export async function deleteLetter(db: Db, id: number): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('millrace_dead_letters')
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}

/** The first letter of a key: the one that holds back the others. */
export async function headOf(db: Db, stream: string, key: string): Promise<Letter | null> {
  const head = await db
    .selectFrom('millrace_dead_letters')
    .selectAll()
    .where('stream', '=', stream)
    .where('held_key', '=', key)
    .orderBy('id')
    .limit(1)
    .executeTakeFirst()
  return head ?? null
}

/** Letters whose time has come, those due longest first. */
export async function dueLetters(db: Db, nowMs: number, rowsMax: number): Promise<Letter[]> {
  return db
    .selectFrom('millrace_dead_letters')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('due_at_ms', '<=', nowMs)
    .orderBy('due_at_ms')
    .orderBy('id')
    .limit(rowsMax)
    .execute()
}

/** When the next letter is due that is not due yet, or null. */
export async function nextDueAtMs(db: Db, afterMs: number): Promise<number | null> {
  const { next } = await db
    .selectFrom('millrace_dead_letters')
    .select(({ fn }) => fn.min('due_at_ms').as('next'))
    .where('state', '=', 'waiting')
    .where('due_at_ms', '>', afterMs)
    .executeTakeFirstOrThrow()
  return next
}

export async function countLetters(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('millrace_dead_letters')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** How many letters there are in each state. */
export async function letterCounts(db: Db): Promise<ReadonlyMap<DeadLetterState, number>> {
  const rows = await db
    .selectFrom('millrace_dead_letters')
    .select(['state', ({ fn }) => fn.countAll<number>().as('count')])
    .groupBy('state')
    .execute()
  return new Map(rows.map(({ state, count }) => [state, count]))
}

/** How many letters each held key has. */
export async function heldKeyCounts(
  db: Db,
): Promise<readonly { readonly stream: string; readonly key: string; readonly count: number }[]> {
  const rows = await db
    .selectFrom('millrace_dead_letters')
    .select(['stream', 'held_key', ({ fn }) => fn.countAll<number>().as('count')])
    .where('held_key', 'is not', null)
    .groupBy(['stream', 'held_key'])
    .execute()
  return rows.flatMap(({ stream, held_key: key, count }) =>
    key === null ? [] : [{ stream, key, count }],
  )
}
