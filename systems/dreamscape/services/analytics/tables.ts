import { defineTables } from '@millrace/kit'

export interface AnalyticsTables {
  /** How often each kind of event was heard. */
  counts: { eventType: string; count: number }
  /** Page views, by path. */
  pages: { path: string; views: number }
  /** Money by what became of it: `received`, `returned`. */
  money: { what: string; cents: number }
}

export const tables = defineTables<AnalyticsTables>({
  '001 counts': async ({ schema }) => {
    await schema
      .createTable('counts')
      .addColumn('eventType', 'text', (column) => column.primaryKey())
      .addColumn('count', 'integer', (column) => column.notNull())
      .execute()
    await schema
      .createTable('pages')
      .addColumn('path', 'text', (column) => column.primaryKey())
      .addColumn('views', 'integer', (column) => column.notNull())
      .execute()
    await schema
      .createTable('money')
      .addColumn('what', 'text', (column) => column.primaryKey())
      .addColumn('cents', 'bigint', (column) => column.notNull())
      .execute()
  },
})
