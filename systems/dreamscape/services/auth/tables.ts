import { defineTables } from '@millrace/kit'

export interface AuthTables {
  /** Who may log in. The person behind it is the user service's. */
  logins: {
    userId: string
    email: string
    /** Lower case: one address in two spellings is taken. */
    emailFolded: string
    /** PHC string format, with salt and cost in it. Null: none yet, a reset gives one. */
    passwordHash: string | null
    /** Kept for an account that is not there yet; null once `user.created` was heard. */
    heldUntil: string | null
    wrongPasswords: number
    lockedUntil: string | null
  }
  /** What a refresh token is good for. */
  sessions: { sessionId: string; userId: string; refreshHash: string; endsAt: string }
  resets: { resetId: string; userId: string; endsAt: string }
  secrets: { name: string; value: string }
}

export const tables = defineTables<AuthTables>({
  '001 logins and sessions': async ({ schema }) => {
    await schema
      .createTable('logins')
      .addColumn('userId', 'text', (column) => column.primaryKey())
      .addColumn('email', 'text', (column) => column.notNull())
      .addColumn('emailFolded', 'text', (column) => column.notNull().unique())
      .addColumn('passwordHash', 'text')
      .addColumn('heldUntil', 'text')
      .addColumn('wrongPasswords', 'integer', (column) => column.notNull())
      .addColumn('lockedUntil', 'text')
      .execute()
    await schema
      .createTable('sessions')
      .addColumn('sessionId', 'text', (column) => column.primaryKey())
      .addColumn('userId', 'text', (column) => column.notNull())
      .addColumn('refreshHash', 'text', (column) => column.notNull().unique())
      .addColumn('endsAt', 'text', (column) => column.notNull())
      .execute()
    await schema.createIndex('sessionsByUser').on('sessions').column('userId').execute()
    await schema
      .createTable('resets')
      .addColumn('resetId', 'text', (column) => column.primaryKey())
      .addColumn('userId', 'text', (column) => column.notNull())
      .addColumn('endsAt', 'text', (column) => column.notNull())
      .execute()
    await schema
      .createTable('secrets')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .execute()
  },
})
