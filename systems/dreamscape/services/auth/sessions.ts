// What a refresh token is good for, as rows. The tokens themselves are not kept, only their hashes.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Transaction } from 'kysely'
import { sessionLifetimeMs } from '../../limits.ts'
import type { Session } from '../bearer.ts'
import { isoTime } from './logins.ts'
import type { AuthTables } from './tables.ts'

export interface OpenedSession extends Session {
  readonly refreshToken: string
}

export async function openSession(
  db: Transaction<AuthTables>,
  userId: string,
  nowMs: number,
): Promise<OpenedSession> {
  const refreshToken = newRefreshToken()
  const sessionId = randomUUID()
  const endsAt = isoTime(nowMs + sessionLifetimeMs)
  await db
    .insertInto('sessions')
    .values({ sessionId, userId, refreshHash: hashOf(refreshToken), endsAt })
    .execute()
  return { userId, sessionId, refreshToken }
}

/** Gives a new refresh token for an old one, which is good only once. Undefined: it is not. */
export async function renewSession(
  db: Transaction<AuthTables>,
  refreshToken: string,
  nowMs: number,
): Promise<OpenedSession | undefined> {
  const renewed = newRefreshToken()
  const session = await db
    .updateTable('sessions')
    .set({ refreshHash: hashOf(renewed), endsAt: isoTime(nowMs + sessionLifetimeMs) })
    .where('refreshHash', '=', hashOf(refreshToken))
    .where('endsAt', '>', isoTime(nowMs))
    .returning(['userId', 'sessionId'])
    .executeTakeFirst()
  return session && { ...session, refreshToken: renewed }
}

/** False where it had ended before. */
export async function endSession(db: Transaction<AuthTables>, sessionId: string): Promise<boolean> {
  const ended = await db
    .deleteFrom('sessions')
    .where('sessionId', '=', sessionId)
    .returning('sessionId')
    .executeTakeFirst()
  return ended !== undefined
}

function newRefreshToken(): string {
  return randomBytes(32).toString('base64url')
}

function hashOf(refreshToken: string): string {
  return createHash('sha256').update(refreshToken).digest('base64url')
}
