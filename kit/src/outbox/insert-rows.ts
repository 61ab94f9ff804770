import { type Kysely, sql } from 'kysely'
import { keyLocksMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Dialect } from '../store/store.ts'
import { murmur2 } from './partitioner.ts'
import type { UnwrittenRow } from './place.ts'

/** Writes rows, which take their numbers in the order given. */
export async function insertRows(
  db: Kysely<KitTables>,
  rows: readonly UnwrittenRow[],
  dialect: Dialect,
): Promise<void> {
  if (dialect === 'postgres') {
    await insertLocked(db, rows)
    return
  }
  // One writer: the order of the numbers is the order of the commits.
  for (let from = 0; from < rows.length; from += insertRowsMax) {
    const part = rows.slice(from, from + insertRowsMax)
    await db.insertInto('millrace_outbox').values(part).execute()
  }
}

/** Kysely compiles each statement anew; beyond this many rows it takes longer than a commit. */
const insertRowsMax = 100

/**
 * P2 on PostgreSQL, where transactions overlap: a lock for each key, held to the end of the
 * transaction, and only then the numbers. Of two transactions that say something of one key, the
 * second draws its numbers after the first has committed. The locks are sorted and nothing is
 * waited for after them, so that publishers cannot deadlock each other. One statement does all of
 * it, and is the same for any number of rows, so that it is prepared once.
 *
 * The class of the locks is the table's own number, so that services in one database do not
 * share them. Two keys with one hash wait for each other in vain, and that is all.
 */
async function insertLocked(db: Kysely<KitTables>, rows: readonly UnwrittenRow[]): Promise<void> {
  const locks = locksOf(rows)
  if (locks.length > keyLocksMax) {
    // Conflicts with every other insert, whose locks on the table come before those on its keys.
    await sql`lock table millrace_outbox in share row exclusive mode`.execute(db)
  }
  const column = <Name extends keyof UnwrittenRow>(name: Name) =>
    rows.map((row) => row[name] ?? null)
  await sql`
    with locked as materialized (
      select count(pg_advisory_xact_lock('millrace_outbox'::regclass::oid::int, lock)) as locks
      from unnest(${locks.length > keyLocksMax ? [] : locks}::int[]) as lock
    )
    insert into millrace_outbox (
      event_id, event_type, topic, stream, key, hash, partition, value, headers, timestamp_ms
    )
    select
      event_id, event_type, topic, stream, key, hash, partition, value, headers, timestamp_ms
    from locked, unnest(
      ${column('event_id')}::text[],
      ${column('event_type')}::text[],
      ${column('topic')}::text[],
      ${column('stream')}::text[],
      ${column('key')}::text[],
      ${column('hash')}::int[],
      ${column('partition')}::int[],
      ${column('value')}::bytea[],
      ${column('headers')}::text[],
      ${column('timestamp_ms')}::bigint[]
    ) with ordinality as said (
      event_id, event_type, topic, stream, key, hash, partition, value, headers, timestamp_ms, place
    )
    where locked.locks >= 0
    order by place
  `.execute(db)
}

/** A row without a key is a key of its own: nothing has to wait for it. */
function locksOf(rows: readonly UnwrittenRow[]): readonly number[] {
  const names = rows.flatMap(({ stream, key }) =>
    key === null || key === undefined ? [] : [`${stream}\u0000${key}`],
  )
  const locks = new Set([...new Set(names)].map(keyLock))
  return [...locks].sort((a, b) => a - b)
}

const encoder = new TextEncoder()

function keyLock(name: string): number {
  return murmur2(encoder.encode(name))
}
