import { MillraceError, messageOf } from '../errors.ts'
import type { TurnOptions } from './turn.ts'

/** SQLite's primary result codes (https://sqlite.org/rescode.html) that no query is to blame for. */
const codes = {
  busy: 5,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
}

/**
 * What went wrong, in words that say what now, where the store itself is in trouble. An error
 * that is about the query (a constraint, a wrong name) comes back as it is.
 */
export function storeError(error: unknown, file: string): unknown {
  const cause = error
  switch (primaryCode(error)) {
    case codes.full:
      return new MillraceError(
        'store-full',
        `the disk of ${file} is full; nothing was written. Make room and try again`,
        { cause, retriable: true },
      )
    case codes.corrupt:
    case codes.notADatabase:
      return new MillraceError(
        'store-damaged',
        `${file} is damaged or is no SQLite database (${messageOf(error)}). Restore a copy, or ` +
          'move it away to start with an empty one',
        { cause },
      )
    case codes.busy:
      return new MillraceError(
        'store-locked',
        `${file} is locked by another program; close it there (a database browser?)`,
        { cause, retriable: true },
      )
    case codes.ioError:
    case codes.cannotOpen:
      return new MillraceError('store-failed', `${file} failed: ${messageOf(error)}`, {
        cause,
        retriable: true,
      })
    default:
      return error
  }
}

/** What a transaction did is gone, and its holder did not ask for that. */
export function rolledBack(): MillraceError {
  return new MillraceError(
    'store-failed',
    'the database rolled back by itself, as it does when the disk is full or fails',
    { retriable: true },
  )
}

/** The error of a transaction that found no place among those that use the connections. */
export function storeBusy(name: string): MillraceError {
  return new MillraceError(
    'store-busy',
    `"${name}" is not begun: all connections of the service to PostgreSQL are in use`,
    { retriable: true },
  )
}

/** The error of a transaction that was held past its limit. */
export function tooLong({ name, heldMsMax }: TurnOptions): MillraceError {
  return new MillraceError(
    'transaction-too-long',
    `the transaction "${name}" stayed open longer than ${heldMsMax} ms and was rolled back; ` +
      'wait for the network before its first use of db or publish, not after it',
  )
}

/**
 * True where a query failed because a row with that key is there already: a taken e-mail
 * address, for example. `column` narrows it down: `users.email`.
 */
export function isUniqueViolation(error: unknown, column?: string): boolean {
  const code = resultCode(error)
  if (code === 2067 /* UNIQUE */ || code === 1555 /* PRIMARYKEY */) {
    return column === undefined || messageOf(error).includes(column)
  }
  return isPostgresUniqueViolation(error, column)
}

function isPostgresUniqueViolation(error: unknown, column: string | undefined): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505') return false
  if (column === undefined) return true
  const table = 'table' in error ? String(error.table) : ''
  // `Key (email)=(ada@example.org) already exists.`: the columns stand before the equals sign.
  const detail = 'detail' in error ? String(error.detail) : ''
  const [columns = ''] = detail.split(')=(', 1)
  const names = columns.slice(columns.indexOf('(') + 1).split(', ')
  return names.some((name) => `${table}.${name.replaceAll('"', '')}` === column)
}

/** True where another connection holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === codes.busy
}

function primaryCode(error: unknown): number | undefined {
  const code = resultCode(error)
  return code === undefined ? undefined : code & 0xff
}

function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode
    : undefined
}
