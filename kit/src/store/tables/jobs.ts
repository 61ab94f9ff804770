import { type ColumnDefinitionBuilder, type Kysely, sql } from 'kysely'

/** What somebody asked for that takes longer than one transaction. */
export interface JobRow {
  /** The event id of the command that asked. */
  id: string
  kind: 'redrive' | 'discard' | 'try' | 'replay' | 'rebuild'
  /** `cancelling`: somebody asked to stop it, and whoever works on it has not seen that yet. */
  state: 'running' | 'cancelling' | 'done' | 'stopped' | 'cancelled'
  /** What was asked for, as the JSON of the command. */
  request: string
  /** How far it is: what that counts is the kind's. */
  position: number
  /** Where it ends. */
  last: number
  /** What came of it so far, as JSON: the kind's own counts. */
  report: string
  done: number
  total: number
  /** Why it was stopped. */
  reason: string | null
  asked_by: string
  begun_at_ms: number
  changed_at_ms: number
}

/** Handlers that somebody has paused: they stay so, also after a restart. */
export interface PauseRow {
  subscription: string
  asked_by: string
  since_ms: number
}

export interface JobTables {
  millrace_jobs: JobRow
  millrace_pauses: PauseRow
}

export async function createJobs(db: Kysely<JobTables>): Promise<void> {
  await db.schema
    .createTable('millrace_jobs')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('request', 'text', (column) => column.notNull())
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('last', 'integer', (column) => column.notNull())
    .addColumn('report', 'text', (column) => column.notNull())
    .addColumn('done', 'integer', (column) => column.notNull())
    .addColumn('total', 'integer', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('asked_by', 'text', (column) => column.notNull())
    .addColumn('begun_at_ms', 'integer', (column) => column.notNull())
    .addColumn('changed_at_ms', 'integer', (column) => column.notNull())
    .execute()
  // One of a kind at a time.
  await sql`create unique index millrace_jobs_running on millrace_jobs (kind)
            where state in ('running', 'cancelling')`.execute(db)
  await db.schema
    .createTable('millrace_pauses')
    .addColumn('subscription', 'text', (column) => column.primaryKey())
    .addColumn('asked_by', 'text', (column) => column.notNull())
    .addColumn('since_ms', 'integer', (column) => column.notNull())
    .execute()
  await addHandwork(db)
}

/** What was done to a dead letter by hand. SQLite adds one column at a time. */
async function addHandwork(db: Kysely<JobTables>): Promise<void> {
  const letters = db.schema.alterTable('millrace_dead_letters')
  const count = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0)
  await letters.addColumn('redrives', 'integer', count).execute()
  await letters.addColumn('alike', 'integer', count).execute()
  await letters.addColumn('redriven_signature', 'text').execute()
  await letters.addColumn('redriven_by_job', 'text').execute()
  await letters.addColumn('edited_by', 'text').execute()
  await letters.addColumn('edited_at_ms', 'integer').execute()
  await letters.addColumn('original_value', 'blob').execute()
}
