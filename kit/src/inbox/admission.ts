import { CompiledQuery, type Kysely } from 'kysely'
import type { KitTables } from '../store/kit-tables.ts'
import type { Dialect } from '../store/store.ts'
import type { InboxRow } from '../store/tables/inbox.ts'
import { type Claim, holdClaim } from './fence.ts'
import { Repeat } from './inbox.ts'

/** Thrown inside the transaction of an event whose key is held back by a dead letter. */
export class Held extends Error {
  override readonly name = 'Held'
}

/** What a transaction is to handle, and what must be true for that. */
export interface Admission {
  readonly row: InboxRow
  /** Under which its record came in; null for a stored one. */
  readonly claim: Claim | null
  /** The key that no dead letter may hold; null where nothing can hold it. */
  readonly key: { readonly stream: string; readonly key: string } | null
}

/**
 * The first statement of a handler's transaction. It writes the rows that say "handled", each
 * only where it was not handled before (P3), its partition is still claimed by us (`fence.ts`), and
 * no letter holds back its key (P5): the store decides that, whatever this instance believes.
 *
 * Throws `Repeat`, `Fenced` or `Held`. None of them is an error of the database, which would end a
 * transaction that others share. Of several rows of which some are not written, it throws
 * `Repeat`: each is to be tried alone.
 */
export async function admit(
  db: Kysely<KitTables>,
  admissions: readonly Admission[],
  dialect: Dialect,
): Promise<void> {
  let written = 0
  for (let from = 0; from < admissions.length; ) {
    const size = statementSizes.find((one) => one <= admissions.length - from) ?? 1
    const part = admissions.slice(from, from + size)
    const { numAffectedRows } = await db.executeQuery(insertOf(part, dialect))
    written += Number(numAffectedRows ?? 0n)
    from += size
  }
  if (written !== admissions.length) await refuse(db, admissions, dialect)
}

/** A few sizes, so that their statements stay prepared. */
const statementSizes = [64, 16, 4, 1]

/** The parameters of one row in the statement, with their types. */
const columns = [
  ['event_id', 'text'],
  ['subscription', 'text'],
  ['handled_at_ms', 'bigint'],
  ['topic_id', 'text'],
  ['part', 'bigint'],
  ['record_offset', 'bigint'],
  ['claimed_group', 'text'],
  ['claim', 'bigint'],
  ['stream', 'text'],
  ['held_key', 'text'],
] as const

const statements = new Map<string, string>()

function insertOf(admissions: readonly Admission[], dialect: Dialect): CompiledQuery {
  const name = `${dialect} ${admissions.length}`
  const text = statements.get(name) ?? textOf(admissions.length, dialect)
  statements.set(name, text)
  return CompiledQuery.raw(text, admissions.flatMap(parametersOf))
}

/** Written by hand: it is the hottest statement of all, and Kysely would compile it each time. */
function textOf(rows: number, dialect: Dialect): string {
  const [placeholder, lock] =
    dialect === 'postgres' ? [(at: number) => `$${at}`, ' for share'] : [() => '?', '']
  const row = (index: number): string => {
    const values = columns.map(([name, type], column) => {
      const at = index * columns.length + column + 1
      return `cast(${placeholder(at)} as ${type}) as ${name}`
    })
    return `select ${values.join(', ')}`
  }
  const entries = Array.from({ length: rows }, (_, index) => row(index)).join(' union all ')
  return `
    insert into millrace_inbox
      (event_id, subscription, handled_at_ms, topic_id, "partition", record_offset)
    select event_id, subscription, handled_at_ms, topic_id, part, record_offset
    from (${entries}) as entry
    where (entry.claim is null or exists (
        select 1 from millrace_partitions as claimed
        where claimed.group_name = entry.claimed_group and claimed.topic_id = entry.topic_id
          and claimed."partition" = entry.part and claimed.claim = entry.claim${lock}
      ))
      and (entry.held_key is null or not exists (
        select 1 from millrace_dead_letters as letter
        where letter.stream = entry.stream and letter.held_key = entry.held_key
      ))
    on conflict do nothing`
}

function parametersOf({ row, claim, key }: Admission): readonly unknown[] {
  return [
    row.event_id,
    row.subscription,
    row.handled_at_ms,
    row.topic_id,
    row.partition,
    row.record_offset,
    claim?.group ?? null,
    claim?.number ?? null,
    key?.stream ?? null,
    key?.key ?? null,
  ]
}

/**
 * Says why something was not admitted. What held a key back may be gone by now: only a row that is
 * there proves that an event was handled.
 */
async function refuse(
  db: Kysely<KitTables>,
  admissions: readonly Admission[],
  dialect: Dialect,
): Promise<never> {
  for (const { claim } of admissions) await holdClaim(db, claim, dialect)
  const [first, ...others] = admissions
  if (first === undefined) throw new Error('nothing was to be admitted')
  const { event_id, subscription } = first.row
  if (others.length > 0) throw new Repeat(`not all of ${admissions.length} events are new`)
  const handled = await db
    .selectFrom('millrace_inbox')
    .select('event_id')
    .where('event_id', '=', event_id)
    .where('subscription', '=', subscription)
    .executeTakeFirst()
  if (handled !== undefined) throw new Repeat(`${event_id} was handled before`)
  throw new Held(`${event_id} stands behind a dead letter of its key`)
}
