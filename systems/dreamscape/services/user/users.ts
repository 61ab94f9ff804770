// The people, as rows.
import { isUniqueViolation } from '@millrace/kit'
import type { Kysely, Selectable, Transaction, Updateable } from 'kysely'
import { z } from 'zod'
import { channels } from '../../catalogue.ts'
import { problems } from '../problems.ts'
import type { UserTables } from './tables.ts'

type Row = Selectable<UserTables['users']>

export interface NewUser {
  readonly userId: string
  readonly email: string
  readonly firstName: string
  readonly lastName: string
}

/** Adds a person, known by name and address so far. Throws a problem where that is taken. */
export async function insertUser(db: Transaction<UserTables>, user: NewUser): Promise<void> {
  const row: Row = {
    ...user,
    emailFolded: user.email.toLowerCase(),
    phone: null,
    homeAirport: null,
    channels: JSON.stringify(['email']),
    interests: '[]',
    segment: 'newcomer',
    lastSeenAt: null,
  }
  await unlessTaken(user.email, () => db.insertInto('users').values(row).execute())
}

/** The person after the change. Throws a problem where there is none, or the address is taken. */
export async function changeUser(
  db: Transaction<UserTables>,
  userId: string,
  change: Updateable<UserTables['users']>,
): Promise<Row> {
  const changed = await unlessTaken(change.email ?? '', () =>
    db
      .updateTable('users')
      .set({ ...change, ...(change.email ? { emailFolded: change.email.toLowerCase() } : {}) })
      .where('userId', '=', userId)
      .returningAll()
      .executeTakeFirst(),
  )
  if (changed === undefined) throw problems.unknownAccount()
  return changed
}

/** Where there is no such person (any more), nothing. */
export async function noteUser(
  db: Transaction<UserTables>,
  userId: string,
  change: Pick<Updateable<UserTables['users']>, 'lastSeenAt' | 'segment'>,
): Promise<void> {
  await db.updateTable('users').set(change).where('userId', '=', userId).execute()
}

/** What a person sees of it. */
export async function findUser(db: Kysely<UserTables>, userId: string) {
  const row = await db
    .selectFrom('users')
    .selectAll()
    .where('userId', '=', userId)
    .executeTakeFirst()
  if (row === undefined) throw problems.unknownAccount()
  const { emailFolded: _, channels: chosen, interests, ...shown } = row
  return {
    ...shown,
    channels: z.array(z.enum(channels)).parse(JSON.parse(chosen)),
    interests: z.array(z.string()).parse(JSON.parse(interests)),
  }
}

export async function isEmailTaken(db: Kysely<UserTables>, email: string): Promise<boolean> {
  const found = await db
    .selectFrom('users')
    .select('userId')
    .where('emailFolded', '=', email.toLowerCase())
    .executeTakeFirst()
  return found !== undefined
}

/** Of two who take one address at once, the database tells the second. */
async function unlessTaken<Result>(email: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write()
  } catch (error) {
    throw isUniqueViolation(error) ? problems.emailTaken(email) : error
  }
}
