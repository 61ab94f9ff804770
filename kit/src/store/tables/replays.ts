import type { Kysely } from 'kysely'

/** How far each replay is, so that one that was interrupted can go on. */
export interface ReplayRow {
  name: string
  /** Ranges and counts, as JSON. */
  state: string
  changed_at_ms: number
}

export interface ReplayTables {
  millrace_replays: ReplayRow
}

export async function createReplays(db: Kysely<ReplayTables>): Promise<void> {
  await db.schema
    .createTable('millrace_replays')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('changed_at_ms', 'integer', (column) => column.notNull())
    .execute()
}
