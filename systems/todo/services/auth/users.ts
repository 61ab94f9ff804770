// The users as rows: who is taken, who is who.
import type { Kysely, Transaction } from 'kysely'
import { type AuthTables, fold } from './tables.ts'

export interface NewUser {
  readonly username: string
  readonly email: string
}

export type Taken =
  | { readonly kind: 'free' }
  | { readonly kind: 'email-taken' }
  | { readonly kind: 'username-taken' }

/** Whether somebody has the address or the name already, in whatever spelling. */
export async function findTaken(
  db: Kysely<AuthTables>,
  { username, email }: NewUser,
): Promise<Taken> {
  const others = await db
    .selectFrom('users')
    .select('emailFolded')
    .where((where) =>
      where.or([
        where('emailFolded', '=', fold(email)),
        where('usernameFolded', '=', fold(username)),
      ]),
    )
    .execute()
  if (others.length === 0) return { kind: 'free' }
  return others.some(({ emailFolded }) => emailFolded === fold(email))
    ? { kind: 'email-taken' }
    : { kind: 'username-taken' }
}

/** Adds a user and gives the new id. Address and name must be free. */
export async function insertUser(
  db: Transaction<AuthTables>,
  { username, email, passwordHash }: NewUser & { readonly passwordHash: string },
): Promise<number> {
  const { userId } = await db
    .insertInto('users')
    .values({
      username,
      usernameFolded: fold(username),
      email,
      emailFolded: fold(email),
      passwordHash,
    })
    .returning('userId')
    .executeTakeFirstOrThrow()
  return userId
}

/** By e-mail address or by name; an address has an "@", and a name has none. */
export function findByLogin(db: Kysely<AuthTables>, login: string) {
  return db
    .selectFrom('users')
    .select(['userId', 'username', 'email', 'passwordHash'])
    .where(login.includes('@') ? 'emailFolded' : 'usernameFolded', '=', fold(login))
    .executeTakeFirst()
}

export function findById(db: Kysely<AuthTables>, userId: number) {
  return db
    .selectFrom('users')
    .select(['userId', 'username', 'email'])
    .where('userId', '=', userId)
    .executeTakeFirst()
}
