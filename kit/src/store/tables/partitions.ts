import { type Kysely, sql } from 'kysely'

/** Which instance may commit what it did with the records of a partition: see `fence.ts`. */
export interface PartitionRow {
  group_name: string
  topic_id: string
  partition: number
  /** Of the group when the partition was claimed. */
  generation: number
  /** Grows with each claim; the last claim holds. */
  claim: number
}

export interface PartitionTables {
  millrace_partitions: PartitionRow
}

export async function createPartitions(db: Kysely<PartitionTables>): Promise<void> {
  await db.schema
    .createTable('millrace_partitions')
    .addColumn('group_name', 'text', (column) => column.notNull())
    .addColumn('topic_id', 'text', (column) => column.notNull())
    .addColumn('partition', 'integer', (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('claim', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('millrace_partitions_key', ['group_name', 'topic_id', 'partition'])
    .execute()
  // Rows without a partition are few and short-lived, and asked for before every send.
  await sql`create index millrace_outbox_unrouted on millrace_outbox (topic, key, id)
            where sent_cluster_id is null and partition is null`.execute(db)
  // Letters are tried by the owner of their slot, some of each subscription.
  await sql`alter table millrace_dead_letters add column slot integer not null default 0`.execute(
    db,
  )
  await sql`create index millrace_dead_letters_due_of
            on millrace_dead_letters (subscription, due_at_ms, id)
            where state = 'waiting'`.execute(db)
}
