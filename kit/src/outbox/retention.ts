import type { Transaction } from 'kysely'
import { sentRetentionMs, sentRowsMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'

/**
 * Forgets rows that were sent more than `sentRetentionMs` ago, and the oldest beyond
 * `sentRowsMax`. Until then they can be sent again to a broker that lost its data.
 */
export async function pruneSent(db: Transaction<KitTables>, nowMs: number): Promise<void> {
  const surplus = await db
    .selectFrom('millrace_outbox')
    .select('id')
    .where('sent_cluster_id', 'is not', null)
    .orderBy('id', 'desc')
    .offset(sentRowsMax)
    .limit(1)
    .executeTakeFirst()
  await db
    .deleteFrom('millrace_outbox')
    .where('sent_cluster_id', 'is not', null)
    .where((eb) =>
      eb.or([eb('sent_at_ms', '<', nowMs - sentRetentionMs), eb('id', '<=', surplus?.id ?? -1)]),
    )
    .execute()
}

/**
 * As `pruneSent`, where Debezium carries the rows: nobody marks them, and PostgreSQL keeps its log
 * as long as Debezium has not read it, whatever is deleted here.
 */
export async function pruneCarried(db: Transaction<KitTables>, nowMs: number): Promise<void> {
  await db
    .deleteFrom('millrace_outbox')
    .where('timestamp_ms', '<', nowMs - sentRetentionMs)
    .execute()
}
