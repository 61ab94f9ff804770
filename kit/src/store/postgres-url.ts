import { MillraceError } from '../errors.ts'

/** Which database, without how to get in: fit for messages and logs. */
export interface PostgresPlace {
  readonly url: string
  /** `database "shop" on db.example.org:5432`. */
  readonly description: string
}

/**
 * Reads `DATABASE_URL`. Throws `config-invalid`, and never shows what it read: it holds a
 * password, also where it is no URL.
 */
export function readPostgresUrl(value: string): PostgresPlace {
  if (!URL.canParse(value)) throw invalid('is no URL')
  const { protocol, hostname, port, pathname } = new URL(value)
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw invalid(`begins with "${protocol}//"`)
  }
  const database = decodeURIComponent(pathname.slice(1))
  const place = hostname === '' ? 'the local socket' : `${hostname}:${port === '' ? 5432 : port}`
  return { url: value, description: `database "${database}" on ${place}` }
}

function invalid(problem: string): MillraceError {
  const issue =
    `DATABASE_URL ${problem}; it is postgresql://user:password@host:5432/database, ` +
    'or unset for a SQLite file'
  return new MillraceError('config-invalid', issue, { issues: [issue] })
}
