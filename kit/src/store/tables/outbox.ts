import { type Generated, type Kysely, sql } from 'kysely'

/**
 * Events said in committed transactions. `id` order is commit order for each key (P2). A row
 * with `sent_cluster_id` null is yet to be sent; a sent one stays for a while (see `relay.ts`).
 */
export interface OutboxRow {
  id: Generated<number>
  event_id: string
  event_type: string
  topic: string
  /** Rows of one stream and key go out in order; a row without a key is a key of its own. */
  stream: string
  key: string | null
  /** By which the partition is chosen. */
  hash: number
  /** Null as long as the number of the topic's partitions is not known. */
  partition: number | null
  /** Null is a tombstone: on a compacted topic it takes the key away. */
  value: Uint8Array | null
  /** The record's headers as a JSON object of strings, under the names of `EventHeaders`. */
  headers: string
  timestamp_ms: number
  sent_at_ms: number | null
  sent_cluster_id: string | null
}

/** A key that is held back because its first unsent row was refused. */
export interface HoldRow {
  /** The refused row. */
  outbox_id: number
  topic: string
  stream: string
  key: string | null
  event_id: string
  code: string
  message: string
  attempts: number
  since_ms: number
  retry_at_ms: number
}

/** How far into each partition of a cluster the relay knows what it sent: see `tail.ts`. */
export interface PositionRow {
  cluster_id: string
  topic: string
  partition: number
  /** Every row that was on the topic below this offset is marked as sent. */
  next_offset: string
}

export interface OutboxTables {
  millrace_outbox: OutboxRow
  millrace_outbox_holds: HoldRow
  millrace_outbox_positions: PositionRow
}

export async function createOutbox(db: Kysely<OutboxTables>): Promise<void> {
  await db.schema
    .createTable('millrace_outbox')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('event_type', 'text', (column) => column.notNull())
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('stream', 'text', (column) => column.notNull())
    .addColumn('key', 'text')
    .addColumn('hash', 'integer', (column) => column.notNull())
    .addColumn('partition', 'integer')
    .addColumn('value', 'blob')
    .addColumn('headers', 'text', (column) => column.notNull())
    .addColumn('timestamp_ms', 'integer', (column) => column.notNull())
    .addColumn('sent_at_ms', 'integer')
    .addColumn('sent_cluster_id', 'text')
    .execute()
  // Each lane asks for its unsent rows in order, many times a second, beside thousands of others.
  await sql`create index millrace_outbox_unsent on millrace_outbox (topic, partition, id)
            where sent_cluster_id is null`.execute(db)
  await db.schema
    .createTable('millrace_outbox_holds')
    .addColumn('outbox_id', 'integer', (column) => column.primaryKey())
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('stream', 'text', (column) => column.notNull())
    .addColumn('key', 'text')
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('code', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('since_ms', 'integer', (column) => column.notNull())
    .addColumn('retry_at_ms', 'integer', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('millrace_outbox_positions')
    .addColumn('cluster_id', 'text', (column) => column.notNull())
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('partition', 'integer', (column) => column.notNull())
    .addColumn('next_offset', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('millrace_outbox_positions_key', ['cluster_id', 'topic', 'partition'])
    .execute()
}
