// How people are reached: rows that follow the events about accounts. The events come on several
// topics in any order, so each sets what it knows.
import type { Kysely, Transaction } from 'kysely'
import { z } from 'zod'
import { channels } from '../../catalogue.ts'
import type { NotificationTables } from './tables.ts'

export type Channel = (typeof channels)[number]

export interface Contact {
  readonly userId: string
  readonly email: string
  readonly firstName: string
  readonly phone: string | null
  readonly channels: readonly Channel[]
}

const unknown = { email: null, firstName: null, phone: null, channels: '["email"]', gone: 0 }

export async function setContact(
  db: Transaction<NotificationTables>,
  userId: string,
  known: Partial<Omit<NotificationTables['contacts'], 'userId'>>,
): Promise<void> {
  await db
    .insertInto('contacts')
    .values({ ...unknown, userId, ...known })
    .onConflict((conflict) =>
      // What is late about somebody who has left is not kept.
      conflict.column('userId').doUpdateSet(known).where('contacts.gone', '=', 0),
    )
    .execute()
}

export async function forgetContact(
  db: Transaction<NotificationTables>,
  userId: string,
): Promise<void> {
  await setContact(db, userId, { ...unknown, gone: 1 })
}

/**
 * Null for somebody who has left. Throws where nothing is known of somebody yet: the news may be
 * faster than the account, so it is tried again.
 */
export async function findContact(
  db: Kysely<NotificationTables>,
  userId: string,
): Promise<Contact | null> {
  const row = await db
    .selectFrom('contacts')
    .selectAll()
    .where('userId', '=', userId)
    .executeTakeFirst()
  if (row?.gone === 1) return null
  if (row?.email == null || row.firstName === null) {
    throw new Error(`nobody has said (yet) how "${userId}" is reached`)
  }
  const { email, firstName, phone } = row
  const chosen = z.array(z.enum(channels)).parse(JSON.parse(row.channels))
  return { userId, email, firstName, phone, channels: chosen }
}
