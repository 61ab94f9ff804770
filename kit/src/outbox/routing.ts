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

/** The topics of all unsent rows. It looks at one row of each, however many there are. */
export async function unsentTopics(db: Kysely<KitTables>): Promise<string[]> {
  const { rows } = await sql<{ topic: string }>`
    with recursive topics (topic) as (
      select min(topic) from millrace_outbox where sent_cluster_id is null
      union all
      select (
        select min(topic) from millrace_outbox
        where sent_cluster_id is null and topic > topics.topic
      )
      from topics where topic is not null
    )
    select topic from topics where topic is not null
  `.execute(db)
  return rows.map(({ topic }) => topic)
}

/** Those of the places that have unsent rows. It looks at one row of each. */
export async function backlogAmong(
  db: Kysely<KitTables>,
  places: readonly TopicPartition[],
): Promise<readonly TopicPartition[]> {
  if (places.length === 0) return []
  const topics = [...Map.groupBy(places, ({ topic }) => topic)]
  const found = await Promise.all(
    topics.map(async ([topic, ofTopic]) => {
      const { rows } = await sql<TopicPartition>`
        with places ("partition") as (
          values ${sql.join(ofTopic.map(({ partition }) => sql`(${sql.lit(partition)})`))}
        )
        select ${topic} as topic, places."partition" from places
        where exists (
          select 1 from millrace_outbox
          where sent_cluster_id is null and topic = ${topic}
            and millrace_outbox."partition" = places."partition"
        )
      `.execute(db)
      return rows
    }),
  )
  return found.flat()
}
