import { type Kysely, sql, type Transaction } from 'kysely'
import type { KitTables } from '../store/kit-tables.ts'
import type { TopicPartition } from '../transport/transport.ts'

/**
 * Makes rows that were sent to another cluster unsent again, because this one has not got them:
 * the broker's data was wiped, or the service moved. Gives their number.
 */
export async function unsendOthers(db: Transaction<KitTables>, clusterId: string): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('millrace_outbox')
    .set({ sent_at_ms: null, sent_cluster_id: null })
    .where('sent_cluster_id', '!=', clusterId)
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Gives each unsent row of a topic its partition among `partitions`. */
export async function routeRows(
  db: Transaction<KitTables>,
  topic: string,
  partitions: number,
): Promise<void> {
  await db
    .updateTable('millrace_outbox')
    .set({ partition: sql<number>`hash % ${partitions}` })
    .where('topic', '=', topic)
    .where('sent_cluster_id', 'is', null)
    .where(sql<boolean>`partition is distinct from hash % ${partitions}`)
    .execute()
}

/** The topics of unsent rows that have no partition. */
export async function unroutedTopics(db: Kysely<KitTables>): Promise<string[]> {
  const rows = await db
    .selectFrom('millrace_outbox')
    .select('topic')
    .distinct()
    .where('sent_cluster_id', 'is', null)
    .where('partition', 'is', null)
    .execute()
  return rows.map(({ topic }) => topic)
}

export interface Backlog {
  readonly places: readonly TopicPartition[]
  /** Every row up to it was looked at. */
  readonly lastId: number
}

/** The partitions that have unsent rows. It looks at each of these rows. */
export async function wholeBacklog(db: Kysely<KitTables>): Promise<Backlog> {
  const rows = await db
    .selectFrom('millrace_outbox')
    .select(['topic', 'partition', sql<number>`max(id)`.as('last_id')])
    .where('sent_cluster_id', 'is', null)
    .groupBy(['topic', 'partition'])
    .execute()
  return { places: placesOf(rows), lastId: Math.max(0, ...rows.map(({ last_id }) => last_id)) }
}

/**
 * The partitions of the first `rowsMax` rows with an id above `afterId`. It looks at no others,
 * and may miss what is committed later under a lower id: a hint of whom to wake, on which
 * nothing that is sent depends.
 */
export async function newBacklog(
  db: Kysely<KitTables>,
  afterId: number,
  rowsMax: number,
): Promise<Backlog> {
  const rows = await db
    .selectFrom('millrace_outbox')
    .select(['id', 'topic', 'partition'])
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(rowsMax)
    .execute()
  return { places: placesOf(rows), lastId: rows.at(-1)?.id ?? afterId }
}

function placesOf(
  rows: readonly { readonly topic: string; readonly partition: number | null }[],
): readonly TopicPartition[] {
  const places = new Map<string, TopicPartition>()
  for (const { topic, partition } of rows) {
    if (partition !== null) places.set(`${topic}/${partition}`, { topic, partition })
  }
  return [...places.values()]
}
