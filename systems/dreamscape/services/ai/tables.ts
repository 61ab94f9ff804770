import { defineTables } from '@millrace/kit'

export interface AiTables {
  /** How much each person, or visitor, likes each destination. */
  likings: { userId: string; destination: string; points: number }
  /** The latest recommendation of each person. */
  recommendations: { userId: string; requestId: string; destinations: string }
}

export const tables = defineTables<AiTables>({
  '001 likings': async ({ schema }) => {
    await schema
      .createTable('likings')
      .addColumn('userId', 'text', (column) => column.notNull())
      .addColumn('destination', 'text', (column) => column.notNull())
      .addColumn('points', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('likingsKey', ['userId', 'destination'])
      .execute()
    await schema
      .createTable('recommendations')
      .addColumn('userId', 'text', (column) => column.primaryKey())
      .addColumn('requestId', 'text', (column) => column.notNull())
      .addColumn('destinations', 'text', (column) => column.notNull())
      .execute()
  },
})
