import type { Kysely } from 'kysely'

/** Which generation of a projection is read, and which one is being built. */
export interface ProjectionRow {
  name: string
  /** The generation that the view shows, and the version of the code that built it. */
  serving: number
  serving_version: number
  /** Null unless it is being rebuilt. */
  building: number | null
  building_version: number | null
}

/** How far a generation has read. */
export interface ProjectionPositionRow {
  name: string
  generation: number
  topic_id: string
  partition: number
  next_offset: number
}

export interface ProjectionTables {
  millrace_projections: ProjectionRow
  millrace_projection_positions: ProjectionPositionRow
}

export async function createProjections(db: Kysely<ProjectionTables>): Promise<void> {
  await db.schema
    .createTable('millrace_projections')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('serving', 'integer', (column) => column.notNull())
    .addColumn('serving_version', 'integer', (column) => column.notNull())
    .addColumn('building', 'integer')
    .addColumn('building_version', 'integer')
    .execute()
  await db.schema
    .createTable('millrace_projection_positions')
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('generation', 'integer', (column) => column.notNull())
    .addColumn('topic_id', 'text', (column) => column.notNull())
    .addColumn('partition', 'integer', (column) => column.notNull())
    .addColumn('next_offset', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('millrace_projection_positions_key', [
      'name',
      'generation',
      'topic_id',
      'partition',
    ])
    .execute()
}
