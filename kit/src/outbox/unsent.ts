import { type Expression, type ExpressionBuilder, type Kysely, sql, type Transaction } from 'kysely'
import type { KitTables } from '../store/kit-tables.ts'
import type { Dialect } from '../store/store.ts'
import type { OutboxRow } from '../store/tables/outbox.ts'
import type { TopicPartition } from '../transport/transport.ts'

/** An unsent row without its bytes: enough to plan a send. */
export interface UnsentRow {
  readonly id: number
  readonly event_id: string
  readonly topic: string
  readonly stream: string
  readonly key: string | null
  readonly size: number
  /** How often it was refused, or null. */
  readonly attempts: number | null
}

/**
 * A partition's first unsent rows in the order of their ids, without those of held keys, and
 * without those that an earlier one of their key stands before that has no partition yet: another
 * instance wrote it when it had not met the cluster. It never starts behind the last that it saw:
 * a lower id may be committed later (P2).
 */
export async function unsentRows(
  db: Kysely<KitTables>,
  { topic, partition }: TopicPartition,
  { nowMs, rowsMax }: { readonly nowMs: number; readonly rowsMax: number },
): Promise<UnsentRow[]> {
  return db
    .selectFrom('millrace_outbox as event')
    .leftJoin('millrace_outbox_holds as hold', 'hold.outbox_id', 'event.id')
    .select(['event.id', 'event.event_id', 'event.topic', 'event.stream', 'event.key'])
    .select(['hold.attempts', sql<number>`length(event.value)`.as('size')])
    .where('event.sent_cluster_id', 'is', null)
    .where('event.topic', '=', topic)
    .where('event.partition', '=', partition)
    .where((eb) => eb.not(eb.exists(holdOn(eb, nowMs))))
    .where((eb) => eb.not(eb.exists(unroutedBefore(eb))))
    .orderBy('event.id')
    .limit(rowsMax)
    .execute()
}

type EventExpressions = ExpressionBuilder<
  KitTables & { event: KitTables['millrace_outbox'] },
  'event'
>

/** A hold on the event's key, or on the event itself where it has no key. */
function holdOn(eb: EventExpressions, nowMs: number) {
  return eb
    .selectFrom('millrace_outbox_holds as held')
    .select('held.outbox_id')
    .where('held.retry_at_ms', '>', nowMs)
    .whereRef('held.stream', '=', 'event.stream')
    .where((on) =>
      on.or([
        on('held.key', '=', on.ref('event.key')),
        on('held.outbox_id', '=', on.ref('event.id')),
      ]),
    )
}

/** An earlier row of the same key whose partition is not known. */
function unroutedBefore(eb: EventExpressions) {
  return eb
    .selectFrom('millrace_outbox as unrouted')
    .select('unrouted.id')
    .where('unrouted.sent_cluster_id', 'is', null)
    .where('unrouted.partition', 'is', null)
    .whereRef('unrouted.topic', '=', 'event.topic')
    .whereRef('unrouted.key', '=', 'event.key')
    .whereRef('unrouted.id', '<', 'event.id')
}

/** The rows with their bytes, in the order of their ids. */
export async function loadRows(
  db: Kysely<KitTables>,
  ids: readonly number[],
  dialect: Dialect,
): Promise<Pick<OutboxRow, 'key' | 'value' | 'headers' | 'timestamp_ms'>[]> {
  return db
    .selectFrom('millrace_outbox')
    .select(['key', 'value', 'headers', 'timestamp_ms'])
    .where(isAmong(sql.ref('id'), ids, dialect))
    .orderBy('id')
    .execute()
}

export interface SentRows {
  readonly rows: readonly UnsentRow[]
  readonly place: TopicPartition
  readonly clusterId: string
  /** Where the partition goes on behind what was sent; null where another knows that better. */
  readonly nextOffset: bigint | null
  readonly nowMs: number
  readonly dialect: Dialect
}

/** Marks rows as sent and moves the partition's position behind them, in one transaction. */
export async function markSent(db: Transaction<KitTables>, sent: SentRows): Promise<void> {
  const { rows, clusterId, nextOffset, nowMs, dialect } = sent
  const ids = rows.map(({ id }) => id)
  if (ids.length > 0) {
    await db
      .updateTable('millrace_outbox')
      .set({ sent_at_ms: nowMs, sent_cluster_id: clusterId })
      .where(isAmong(sql.ref('id'), ids, dialect))
      .execute()
  }
  if (rows.some(({ attempts }) => attempts !== null)) {
    await db
      .deleteFrom('millrace_outbox_holds')
      .where(isAmong(sql.ref('outbox_id'), ids, dialect))
      .execute()
  }
  if (nextOffset === null) return
  await db
    .insertInto('millrace_outbox_positions')
    .values({
      cluster_id: clusterId,
      topic: sent.place.topic,
      partition: sent.place.partition,
      next_offset: String(nextOffset),
    })
    .onConflict((conflict) =>
      conflict
        .columns(['cluster_id', 'topic', 'partition'])
        .doUpdateSet({ next_offset: String(nextOffset) }),
    )
    .execute()
}

/** How far the relay knows a partition, or null where it has sent nothing there yet. */
export async function positionOf(
  db: Kysely<KitTables>,
  clusterId: string,
  { topic, partition }: TopicPartition,
): Promise<bigint | null> {
  const row = await db
    .selectFrom('millrace_outbox_positions')
    .select('next_offset')
    .where('cluster_id', '=', clusterId)
    .where('topic', '=', topic)
    .where('partition', '=', partition)
    .executeTakeFirst()
  return row === undefined ? null : BigInt(row.next_offset)
}

/** One parameter on PostgreSQL, so that the statement is the same for any number of ids. */
function isAmong(column: Expression<unknown>, ids: readonly number[], dialect: Dialect) {
  return dialect === 'postgres'
    ? sql<boolean>`${column} = any(${ids}::bigint[])`
    : sql<boolean>`${column} in (${sql.join(ids)})`
}
