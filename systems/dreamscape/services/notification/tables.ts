import { defineTables } from '@millrace/kit'

export interface NotificationTables {
  /** How each person is reached, as the events have told. */
  contacts: {
    userId: string
    /** Null until `user.created` was heard. */
    email: string | null
    firstName: string | null
    phone: string | null
    /** JSON: by which of `channels` to be told. */
    channels: string
    /** 1: the account is deleted, and nothing else is known of it any more. */
    gone: number
  }
}

export const tables = defineTables<NotificationTables>({
  '001 contacts': async ({ schema }) => {
    await schema
      .createTable('contacts')
      .addColumn('userId', 'text', (column) => column.primaryKey())
      .addColumn('email', 'text')
      .addColumn('firstName', 'text')
      .addColumn('phone', 'text')
      .addColumn('channels', 'text', (column) => column.notNull())
      .addColumn('gone', 'integer', (column) => column.notNull())
      .execute()
  },
})
