import { type Kysely, sql } from 'kysely'

/** One process of a process manager: its row is its lock. */
export interface ProcessRow {
  process: string
  process_id: string
  /** Counts the deliveries that had the row: 1 for the one that made it. */
  version: number
  status: 'running' | 'compensating' | 'ended'
  /** The state as JSON, and the version of its shape. */
  state: string
  state_version: number
  /** What was done, and how far it is undone, as JSON. */
  steps: string
  /** The timers that are set, as JSON: the number of the setting, by name. */
  timers: string
  /** Timers that were ever set: the last one's number. */
  timers_set: number
  /** Why it compensates, or null. */
  reason: string | null
  /** What is to be said when all is undone, as JSON. */
  afterwards: string
  /** Of the event that began it. */
  correlation_id: string
  started_at_ms: number
  changed_at_ms: number
  ended_at_ms: number | null
}

export interface ProcessTables {
  millrace_processes: ProcessRow
}

export async function createProcesses(db: Kysely<ProcessTables>): Promise<void> {
  await db.schema
    .createTable('millrace_processes')
    .addColumn('process', 'text', (column) => column.notNull())
    .addColumn('process_id', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('state_version', 'integer', (column) => column.notNull())
    .addColumn('steps', 'text', (column) => column.notNull())
    .addColumn('timers', 'text', (column) => column.notNull())
    .addColumn('timers_set', 'integer', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('afterwards', 'text', (column) => column.notNull())
    .addColumn('correlation_id', 'text', (column) => column.notNull())
    .addColumn('started_at_ms', 'integer', (column) => column.notNull())
    .addColumn('changed_at_ms', 'integer', (column) => column.notNull())
    .addColumn('ended_at_ms', 'integer')
    .addPrimaryKeyConstraint('millrace_processes_key', ['process', 'process_id'])
    .execute()
  await sql`create index millrace_processes_ended on millrace_processes (ended_at_ms)
            where ended_at_ms is not null`.execute(db)
}
