import type { CompiledQuery, Kysely } from 'kysely'
import { forgetEffects } from '../effect.ts'
import { inboxForeignMsMax, inboxKeptMsMin, pruneRowsMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { InboxRow } from '../store/tables/inbox.ts'
import type { AssignedPartition } from '../transport/transport.ts'

/** Thrown inside the transaction of an event that was handled before; nothing of it commits. */
export class Repeat extends Error {
  override readonly name = 'Repeat'
}

/**
 * Writes the rows that say "handled" of events of which nothing else commits; they may be there
 * already. Those of handlers that do commit something are written by `admit`.
 */
export async function recordForgone(
  db: Kysely<KitTables>,
  rows: readonly InboxRow[],
): Promise<void> {
  for (let from = 0; from < rows.length; ) {
    const size = insertSizes.find((one) => one <= rows.length - from) ?? 1
    await db.executeQuery(insertOf(db, rows.slice(from, from + size)))
    from += size
  }
}

/** A few sizes, so that their statements stay prepared. */
const insertSizes = [64, 16, 4, 1]

/** Compiled once for each store and size: that costs more than the insert itself. */
const inserts = new WeakMap<object, Map<number, CompiledQuery>>()

function insertOf(db: Kysely<KitTables>, rows: readonly InboxRow[]): CompiledQuery {
  const { adapter } = db.getExecutor()
  const known = inserts.get(adapter) ?? new Map<number, CompiledQuery>()
  inserts.set(adapter, known)
  const compiled =
    known.get(rows.length) ??
    db
      .insertInto('millrace_inbox')
      .values(rows.map(columnsOf))
      .onConflict((conflict) => conflict.doNothing())
      .compile()
  known.set(rows.length, compiled)
  return { ...compiled, parameters: rows.flatMap(parametersOf) }
}

/** The columns in one order, which is that of the statement's parameters. */
function columnsOf(row: InboxRow): InboxRow {
  const { event_id, subscription, handled_at_ms, topic_id, partition, record_offset } = row
  return { event_id, subscription, handled_at_ms, topic_id, partition, record_offset }
}

function parametersOf(row: InboxRow): readonly unknown[] {
  return Object.values(columnsOf(row))
}

/** Which of these events were handled, as `subscription event_id`. One query for a whole fetch. */
export async function handledAmong(
  db: Kysely<KitTables>,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (eventIds.length === 0) return new Set()
  const rows = await db
    .selectFrom('millrace_inbox')
    .select(['subscription', 'event_id'])
    .where('event_id', 'in', eventIds)
    .execute()
  return new Set(rows.map((row) => handledKey(row.subscription, row.event_id)))
}

export function handledKey(subscription: string, eventId: string): string {
  return `${subscription} ${eventId}`
}

/**
 * Forgets old rows of one partition, and the effects of their events: only below what the group
 * has committed there, because above it the record may come again, however long we were away.
 * Returns how many it forgot; call it again as long as that is `pruneRowsMax`.
 */
export async function pruneInbox(
  db: Kysely<KitTables>,
  partition: AssignedPartition,
  { committed, group, nowMs, topicIds }: PruneOptions,
): Promise<number> {
  const rows = await db
    .selectFrom('millrace_inbox')
    .select(['event_id', 'subscription'])
    .where('handled_at_ms', '<', nowMs - inboxKeptMsMin)
    .where((is) =>
      is.or([
        is.and([
          is('topic_id', '=', partition.topicId),
          is('partition', '=', partition.partition),
          is('record_offset', '<', Number(committed)),
        ]),
        // Of a topic that is gone, or of another cluster: nobody will say when it is passed.
        is.and([
          is('handled_at_ms', '<', nowMs - inboxForeignMsMax),
          is('topic_id', 'not in', topicIds),
        ]),
      ]),
    )
    .orderBy('handled_at_ms')
    .limit(pruneRowsMax)
    .execute()
  if (rows.length === 0) return 0
  const eventIds = rows.map((row) => row.event_id)
  await db.deleteFrom('millrace_inbox').where('event_id', 'in', eventIds).execute()
  await forgetEffects(db, group, eventIds)
  return rows.length
}

export interface PruneOptions {
  /** The offset that the group has committed for the partition. */
  readonly committed: bigint
  readonly group: string
  readonly nowMs: number
  /** Of all that the group listens to: these topics are not gone. */
  readonly topicIds: readonly string[]
}
