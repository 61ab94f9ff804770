import { type Generated, type Kysely, sql } from 'kysely'

/**
 * - `waiting`: to be tried at its due time.
 * - `parked`: given up after its last attempt; it holds back its key until it is redriven.
 * - `behind`: its key is held back by one before it; the handler was not called.
 * - `skipped`: given up without holding back its key (`onExhausted: 'skip'`).
 * - `rejected`: it cannot be read as an event; it holds back nothing.
 */
export type DeadLetterState = 'waiting' | 'parked' | 'behind' | 'skipped' | 'rejected'

/** A record that was put aside, with its bytes. `id` order is the order of each key (P4, P5). */
export interface DeadLetterRow {
  id: Generated<number>
  letter_id: string
  state: DeadLetterState
  /** When it is tried again; null unless it is waiting. */
  due_at_ms: number | null
  /** The handler that it is for, by event name; for a rejected record its topic. */
  subscription: string
  stream: string
  /** The key that it holds back, or is held back by; null where it is alone. */
  held_key: string | null
  event_id: string
  event_type: string | null
  correlation_id: string | null
  /** Who owns it tries the letter, and with it all of its key: see `slot.ts`. */
  slot: number
  /** Runs of the handler that count. */
  attempts: number
  reason: string
  parked_at_ms: number
  cluster_id: string
  topic_id: string
  topic: string
  partition: number
  record_offset: number
  record_key: Uint8Array | null
  record_value: Uint8Array | null
  /** The headers as JSON: pairs of a name and the value in base64. */
  record_headers: string
  timestamp_ms: number
  /** How often somebody redrove it. */
  redrives: Generated<number>
  /** Of those, the last ones before each of which it had failed alike. */
  alike: Generated<number>
  /** What its failure had in common with others when it was redriven last. */
  redriven_signature: Generated<string | null>
  /** The job that redrove it last. */
  redriven_by_job: Generated<string | null>
  /** Who changed its payload last, and when. */
  edited_by: Generated<string | null>
  edited_at_ms: Generated<number | null>
  /** The record's value as it came, once it was edited. */
  original_value: Generated<Uint8Array | null>
}

export interface DeadLetterTables {
  millrace_dead_letters: DeadLetterRow
}

export async function createDeadLetters(db: Kysely<DeadLetterTables>): Promise<void> {
  await db.schema
    .createTable('millrace_dead_letters')
    .addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('letter_id', 'text', (column) => column.notNull().unique())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('due_at_ms', 'integer')
    .addColumn('subscription', 'text', (column) => column.notNull())
    .addColumn('stream', 'text', (column) => column.notNull())
    .addColumn('held_key', 'text')
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('event_type', 'text')
    .addColumn('correlation_id', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('parked_at_ms', 'integer', (column) => column.notNull())
    .addColumn('cluster_id', 'text', (column) => column.notNull())
    .addColumn('topic_id', 'text', (column) => column.notNull())
    .addColumn('topic', 'text', (column) => column.notNull())
    .addColumn('partition', 'integer', (column) => column.notNull())
    .addColumn('record_offset', 'integer', (column) => column.notNull())
    .addColumn('record_key', 'blob')
    .addColumn('record_value', 'blob')
    .addColumn('record_headers', 'text', (column) => column.notNull())
    .addColumn('timestamp_ms', 'integer', (column) => column.notNull())
    // A record that comes again while it is parked is not parked twice.
    .addUniqueConstraint('millrace_dead_letters_event', ['event_id', 'subscription'])
    .execute()
  await sql`create index millrace_dead_letters_due on millrace_dead_letters (due_at_ms)
            where state = 'waiting'`.execute(db)
  await sql`create index millrace_dead_letters_key on millrace_dead_letters (stream, held_key, id)
            where held_key is not null`.execute(db)
}
