import { type Insertable, type Kysely, type Selectable, sql, type Updateable } from 'kysely'
import { murmur2 } from '../outbox/partitioner.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Dialect } from '../store/store.ts'
import type { DeadLetterRow, DeadLetterState } from '../store/tables/dead-letters.ts'

/** The queries on dead letters, each for use inside a transaction of its caller. */

type Db = Kysely<KitTables>
export type Letter = Selectable<DeadLetterRow>

/** Of a letter that nobody has redriven or edited. */
export const untouched = {
  redrives: 0,
  alike: 0,
  redriven_signature: null,
  redriven_by_job: null,
  edited_by: null,
  edited_at_ms: null,
  original_value: null,
} as const

/**
 * Locks the keys of letters to the end of the transaction, in one order, so that two who lock
 * several cannot deadlock each other. On SQLite a transaction has the writer to itself.
 */
export async function lockKeys(
  db: Db,
  letters: readonly Pick<Letter, 'stream' | 'held_key'>[],
  dialect: Dialect,
): Promise<void> {
  if (dialect === 'sqlite') return
  const names = letters.flatMap(({ stream, held_key: key }) =>
    key === null ? [] : [`${stream}\u0000${key}`],
  )
  const locks = new Set([...new Set(names)].map((name) => murmur2(encoder.encode(name))))
  if (locks.size === 0) return
  await sql`
    select pg_advisory_xact_lock('millrace_dead_letters'::regclass::oid::int, lock)
    from unnest(${[...locks].sort((a, b) => a - b)}::int[]) as lock
  `.execute(db)
}

const encoder = new TextEncoder()

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

/** Which of the letters are looked at: those of some slots, for some subscriptions. */
export interface LetterChoice {
  readonly slots: readonly number[]
  readonly subscription:
    | { readonly name: string }
    /** Those that nothing handles any more. */
    | { readonly noneOf: readonly string[] }
}

/** Letters whose time has come, those due longest first. */
export async function dueLetters(
  db: Db,
  { slots, subscription }: LetterChoice,
  { nowMs, rowsMax }: { readonly nowMs: number; readonly rowsMax: number },
): Promise<Letter[]> {
  return db
    .selectFrom('millrace_dead_letters')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('due_at_ms', '<=', nowMs)
    .where((is) =>
      'name' in subscription
        ? is('subscription', '=', subscription.name)
        : is('subscription', 'not in', subscription.noneOf),
    )
    .where('slot', 'in', slots)
    .orderBy('due_at_ms')
    .orderBy('id')
    .limit(rowsMax)
    .execute()
}

/** When the next letter is due that is not due yet, or null. */
export async function nextDueAtMs(
  db: Db,
  slots: readonly number[],
  afterMs: number,
): Promise<number | null> {
  const { next } = await db
    .selectFrom('millrace_dead_letters')
    .select(({ fn }) => fn.min('due_at_ms').as('next'))
    .where('state', '=', 'waiting')
    .where('due_at_ms', '>', afterMs)
    .where('slot', 'in', slots)
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
