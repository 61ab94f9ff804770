import type { Kysely } from 'kysely'

/** What already happened outside the database, for which event and person. */
export interface EffectRow {
  group_name: string
  event_id: string
  name: string
  /** Empty for an effect that is not for one of several people. */
  person: string
  done_at_ms: number
}

export interface EffectTables {
  millrace_effects: EffectRow
}

export async function createEffects(db: Kysely<EffectTables>): Promise<void> {
  await db.schema
    .createTable('millrace_effects')
    .addColumn('group_name', 'text', (column) => column.notNull())
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('person', 'text', (column) => column.notNull())
    .addColumn('done_at_ms', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('millrace_effects_key', ['group_name', 'event_id', 'name', 'person'])
    .execute()
}
