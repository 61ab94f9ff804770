import { MillraceError, messageOf } from '../errors.ts'
import { rolledBack } from './store-error.ts'

/**
 * SQLSTATEs (https://www.postgresql.org/docs/current/errcodes-appendix.html) that no query is to
 * blame for, by code or by their class, the first two characters.
 */
const conflicts = new Set(['40001', '40P01'])
const timeouts = new Set(['57014', '55P03', '25P03', '25P04'])
const damages = new Set(['XX001', 'XX002'])
const diskFull = '53100'
const transactionAborted = '25P02'
const readOnly = '25006'
const planChanged = '0A000'

/** Of connections: lost, refused, or not to be had; of a server that shuts down or starts. */
const outages = new Set(['08', '28', '3D', '53', '57', '58'])

/** What Node and the driver say where there is no server to say anything. */
const lostCodes = /^(ECONN|EPIPE|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET)/
const lostMessages = /connection|not queryable|timeout e|query read timeout/i

/**
 * What went wrong, in words that say what now, where the database itself is in trouble. An error
 * that is about the query (a constraint, a wrong name) comes back as it is. `place` names the
 * database without its password.
 */
export function postgresError(error: unknown, place: string): unknown {
  if (!(error instanceof Error) || error instanceof MillraceError) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const failed = `${place} failed: ${messageOf(error)}`
  const options = { cause: error, retriable: true }
  if (conflicts.has(code)) {
    return new MillraceError(
      'store-conflict',
      `${place} undid a transaction, because another was in its way: ${messageOf(error)}`,
      options,
    )
  }
  if (timeouts.has(code)) {
    const now = `${failed}; a lock is held too long, or the query is slow`
    return new MillraceError('store-busy', now, options)
  }
  if (code === diskFull) {
    return new MillraceError(
      'store-full',
      `the disk of ${place} is full; nothing was written. Make room and try again`,
      options,
    )
  }
  if (damages.has(code)) return new MillraceError('store-damaged', failed, { cause: error })
  if (code === transactionAborted) return rolledBack()
  if (isSpent(error)) return new MillraceError('store-failed', failed, options)
  if (isSqlState(code) ? outages.has(code.slice(0, 2)) : isConnectionError(code, error)) {
    return new MillraceError('store-failed', failed, options)
  }
  return error
}

/**
 * True where the connection is of no use any more, though it may still stand: its server became
 * a replica, or a table changed under its prepared statements.
 */
export function isSpent(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === readOnly || isPlanChange(String(error.code), error)
}

/** A statement was prepared before a migration, of another instance, changed its columns. */
function isPlanChange(code: string, error: Error): boolean {
  return code === planChanged && error.message.includes('cached plan')
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code)
}

function isConnectionError(code: string, error: Error): boolean {
  return code === '' ? lostMessages.test(error.message) : lostCodes.test(code)
}
