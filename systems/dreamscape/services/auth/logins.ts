// Who may log in, as rows.
import type { Kysely, Selectable, Transaction } from 'kysely'
import { lockedMs, loginHeldMs, wrongPasswordsMax } from '../../limits.ts'
import type { AuthTables } from './tables.ts'

export type Login = Selectable<AuthTables['logins']>

export interface NewLogin {
  readonly userId: string
  readonly email: string
  readonly passwordHash: string
}

export type Holding = { readonly kind: 'held' } | { readonly kind: 'taken' }

/**
 * Keeps address and password for an account that is about to be made. One whose account never
 * came, because its maker died in between, gives way after `loginHeldMs`.
 */
export async function holdLogin(
  db: Transaction<AuthTables>,
  { userId, email, passwordHash }: NewLogin,
  nowMs: number,
): Promise<Holding> {
  const emailFolded = email.toLowerCase()
  await db
    .deleteFrom('logins')
    .where('emailFolded', '=', emailFolded)
    .where('heldUntil', '<', isoTime(nowMs))
    .execute()
  const inserted = await db
    .insertInto('logins')
    .values({
      userId,
      email,
      emailFolded,
      passwordHash,
      heldUntil: isoTime(nowMs + loginHeldMs),
      wrongPasswords: 0,
      lockedUntil: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('userId')
    .executeTakeFirst()
  return { kind: inserted === undefined ? 'taken' : 'held' }
}

export function findLogin(db: Kysely<AuthTables>, email: string): Promise<Login | undefined> {
  return db
    .selectFrom('logins')
    .selectAll()
    .where('emailFolded', '=', email.toLowerCase())
    .executeTakeFirst()
}

export function findLoginOf(db: Kysely<AuthTables>, userId: string): Promise<Login | undefined> {
  return db.selectFrom('logins').selectAll().where('userId', '=', userId).executeTakeFirst()
}

/**
 * The account is there: its login stays. An account that another program made gets a login
 * without a password; a reset gives it one.
 */
export async function confirmLogin(
  db: Transaction<AuthTables>,
  { userId, email }: { readonly userId: string; readonly email: string },
): Promise<void> {
  const emailFolded = email.toLowerCase()
  await db
    .insertInto('logins')
    .values({
      userId,
      email,
      emailFolded,
      passwordHash: null,
      heldUntil: null,
      wrongPasswords: 0,
      lockedUntil: null,
    })
    .onConflict((conflict) => conflict.column('userId').doUpdateSet({ heldUntil: null }))
    .execute()
}

export async function setEmail(
  db: Transaction<AuthTables>,
  { userId, email }: { readonly userId: string; readonly email: string },
): Promise<void> {
  await db
    .updateTable('logins')
    .set({ email, emailFolded: email.toLowerCase() })
    .where('userId', '=', userId)
    .execute()
}

/** Also ends all sessions: whoever knew the former password is out. */
export async function setPassword(
  db: Transaction<AuthTables>,
  userId: string,
  passwordHash: string,
): Promise<void> {
  await db
    .updateTable('logins')
    .set({ passwordHash, wrongPasswords: 0, lockedUntil: null })
    .where('userId', '=', userId)
    .execute()
  await db.deleteFrom('sessions').where('userId', '=', userId).execute()
}

export async function forgetLogin(db: Transaction<AuthTables>, userId: string): Promise<void> {
  for (const table of ['logins', 'sessions', 'resets'] as const) {
    await db.deleteFrom(table).where('userId', '=', userId).execute()
  }
}

export type WrongPassword =
  | { readonly kind: 'counted' }
  | { readonly kind: 'locked'; readonly wrongPasswords: number; readonly lockedUntil: string }

/** Counts a wrong password; the one too many locks the account. */
export async function countWrong(
  db: Transaction<AuthTables>,
  userId: string,
  nowMs: number,
): Promise<WrongPassword> {
  const counted = await db
    .updateTable('logins')
    .set((eb) => ({ wrongPasswords: eb('wrongPasswords', '+', 1) }))
    .where('userId', '=', userId)
    .returning('wrongPasswords')
    .executeTakeFirst()
  const wrongPasswords = counted?.wrongPasswords ?? 0
  if (wrongPasswords < wrongPasswordsMax) return { kind: 'counted' }
  const lockedUntil = isoTime(nowMs + lockedMs)
  await db
    .updateTable('logins')
    .set({ lockedUntil, wrongPasswords: 0 })
    .where('userId', '=', userId)
    .execute()
  return { kind: 'locked', wrongPasswords, lockedUntil }
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
