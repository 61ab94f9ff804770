import type { Kysely } from 'kysely'

/** What was handled already, by which subscription (P3). */
export interface InboxRow {
  event_id: string
  subscription: string
  handled_at_ms: number
  /** Where it was read: a row is kept as long as the group could still meet its record. */
  topic_id: string
  partition: number
  record_offset: number
}

export interface InboxTables {
  millrace_inbox: InboxRow
}

export async function createInbox(db: Kysely<InboxTables>): Promise<void> {
  await db.schema
    .createTable('millrace_inbox')
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('subscription', 'text', (column) => column.notNull())
    .addColumn('handled_at_ms', 'integer', (column) => column.notNull())
    .addColumn('topic_id', 'text', (column) => column.notNull())
    .addColumn('partition', 'integer', (column) => column.notNull())
    .addColumn('record_offset', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('millrace_inbox_key', ['event_id', 'subscription'])
    .execute()
  await db.schema
    .createIndex('millrace_inbox_age')
    .on('millrace_inbox')
    .columns(['handled_at_ms'])
    .execute()
}
