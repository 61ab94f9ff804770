import { defineTables } from '@millrace/kit'
import type { Generated } from 'kysely'

export interface AuthTables {
  users: {
    /** Never used again, also after its user is gone. */
    userId: Generated<number>
    username: string
    /** `fold`ed: one name in two spellings is taken. */
    usernameFolded: string
    email: string
    emailFolded: string
    /** PHC string format, with salt and cost in it. */
    passwordHash: string
  }
  secrets: { name: string; bytes: Uint8Array }
}

export const tables = defineTables<AuthTables>({
  '001 users': async (db) => {
    await db.schema
      .createTable('users')
      .addColumn('userId', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('username', 'text', (column) => column.notNull())
      .addColumn('usernameFolded', 'text', (column) => column.notNull().unique())
      .addColumn('email', 'text', (column) => column.notNull())
      .addColumn('emailFolded', 'text', (column) => column.notNull().unique())
      .addColumn('passwordHash', 'text', (column) => column.notNull())
      .execute()
  },
  '002 secrets': async (db) => {
    await db.schema
      .createTable('secrets')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('bytes', 'blob', (column) => column.notNull())
      .execute()
  },
})

/** What two spellings of one name or address have in common. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}
