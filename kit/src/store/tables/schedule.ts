import { type Generated, type Kysely, sql } from 'kysely'
import type { OutboxRow } from './outbox.ts'

/**
 * An event that is to be said later: an outbox row that waits for its time. A fired row stays
 * for a while, so that whoever cancels it too late is told so.
 */
export interface ScheduleRow
  extends Pick<
    OutboxRow,
    'event_id' | 'event_type' | 'topic' | 'stream' | 'key' | 'hash' | 'value' | 'headers'
  > {
  id: Generated<number>
  /** A timer of a process, or an event that somebody published for later. */
  kind: 'event' | 'timer'
  /** By which it is cancelled or moved; one of its kind waits or has fired. */
  schedule_id: string
  due_at_ms: number
  /** Who owns it fires it (contract of `Slots`). */
  slot: number
  /** Null as long as it waits. */
  fired_at_ms: number | null
}

export interface ScheduleTables {
  millrace_schedule: ScheduleRow
}

export async function createSchedule(db: Kysely<ScheduleTables>): Promise<void> {
  await db.schema
    .createTable('millrace_schedule')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('schedule_id', 'text', (column) => column.notNull())
    .addColumn('due_at_ms', 'integer', (column) => column.notNull())
    .addColumn('slot', 'integer', (column) => column.notNull())
    .addColumn('fired_at_ms', 'integer')
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('event_type', 'text', (column) => column.notNull())
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('stream', 'text', (column) => column.notNull())
    .addColumn('key', 'text')
    .addColumn('hash', 'integer', (column) => column.notNull())
    .addColumn('value', 'blob')
    .addColumn('headers', 'text', (column) => column.notNull())
    .addUniqueConstraint('millrace_schedule_name', ['kind', 'schedule_id'])
    .execute()
  await sql`create index millrace_schedule_due on millrace_schedule (due_at_ms, id)
            where fired_at_ms is null`.execute(db)
  await sql`create index millrace_schedule_fired on millrace_schedule (fired_at_ms)
            where fired_at_ms is not null`.execute(db)
}
