import type { Kysely } from 'kysely'

/** The name of this database's service in its consumer group, for as long as it exists. */
export interface InstanceRow {
  instance_id: string
}

export interface InstanceTables {
  millrace_instance: InstanceRow
}

export async function createInstance(db: Kysely<InstanceTables>): Promise<void> {
  await db.schema
    .createTable('millrace_instance')
    .addColumn('instance_id', 'text', (column) => column.primaryKey())
    .execute()
}
