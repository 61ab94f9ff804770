import { defineTables } from '@millrace/kit'

export interface UserTables {
  /** The people, each an account. */
  users: {
    userId: string
    email: string
    /** Lower case: one address in two spellings is taken. */
    emailFolded: string
    firstName: string
    lastName: string
    phone: string | null
    homeAirport: string | null
    /** JSON: by which of `channels` to be told. */
    channels: string
    /** JSON: destinations. */
    interests: string
    /** What the AI service makes of them. */
    segment: string
    lastSeenAt: string | null
  }
}

export const tables = defineTables<UserTables>({
  '001 users': async ({ schema }) => {
    await schema
      .createTable('users')
      .addColumn('userId', 'text', (column) => column.primaryKey())
      .addColumn('email', 'text', (column) => column.notNull())
      .addColumn('emailFolded', 'text', (column) => column.notNull().unique())
      .addColumn('firstName', 'text', (column) => column.notNull())
      .addColumn('lastName', 'text', (column) => column.notNull())
      .addColumn('phone', 'text')
      .addColumn('homeAirport', 'text')
      .addColumn('channels', 'text', (column) => column.notNull())
      .addColumn('interests', 'text', (column) => column.notNull())
      .addColumn('segment', 'text', (column) => column.notNull())
      .addColumn('lastSeenAt', 'text')
      .execute()
  },
})
