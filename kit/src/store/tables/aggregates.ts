import type { Kysely } from 'kysely'

/** An event of an aggregate. `version` counts from 1 in each stream, without gaps. */
export interface AggregateEventRow {
  aggregate: string
  aggregate_id: string
  version: number
  event_id: string
  event_type: string
  schema_version: number
  /** The event as JSON. */
  body: string
  correlation_id: string
  causation_id: string | null
  recorded_at_ms: number
}

/** A stream's state at one of its versions: the last that was taken. */
export interface SnapshotRow {
  aggregate: string
  aggregate_id: string
  version: number
  /** Of the state's shape; one of another version is not read. */
  state_version: number
  /** The state as JSON. */
  state: string
  taken_at_ms: number
}

export interface AggregateTables {
  millrace_aggregate_events: AggregateEventRow
  millrace_snapshots: SnapshotRow
}

export async function createAggregates(db: Kysely<AggregateTables>): Promise<void> {
  await db.schema
    .createTable('millrace_aggregate_events')
    .addColumn('aggregate', 'text', (column) => column.notNull())
    .addColumn('aggregate_id', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('event_type', 'text', (column) => column.notNull())
    .addColumn('schema_version', 'integer', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('correlation_id', 'text', (column) => column.notNull())
    .addColumn('causation_id', 'text')
    .addColumn('recorded_at_ms', 'integer', (column) => column.notNull())
    // Two writers of one version cannot both commit.
    .addPrimaryKeyConstraint('millrace_aggregate_events_key', [
      'aggregate',
      'aggregate_id',
      'version',
    ])
    .execute()
  await db.schema
    .createTable('millrace_snapshots')
    .addColumn('aggregate', 'text', (column) => column.notNull())
    .addColumn('aggregate_id', 'text', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('state_version', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('taken_at_ms', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('millrace_snapshots_key', ['aggregate', 'aggregate_id'])
    .execute()
}
