import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { MillraceError } from '../errors.ts'
import type { PostgresConnection } from './postgres-connection.ts'

/**
 * A transaction on PostgreSQL that survives a query that fails, as SQLite's do: a taken e-mail
 * address can be told, and the work goes on. PostgreSQL itself would refuse all that follows.
 *
 * V1. Each query runs in a savepoint, which goes out with it: there is no further round trip.
 * V2. The savepoint of the last query is open until the next one, or the end of the transaction.
 * V3. Queries run one after the other, so that a failing one takes no other with it.
 * V4. What has waited for its place until the transaction was over is not run: it would commit
 *     alone, or in somebody else's transaction.
 */
export class SavingConnection implements DatabaseConnection {
  readonly #connection: Pick<PostgresConnection, 'run' | 'executeQuery'>
  readonly #isHeld: () => boolean
  #isSaved = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(connection: Pick<PostgresConnection, 'run' | 'executeQuery'>, isHeld: () => boolean) {
    this.#connection = connection
    this.#isHeld = isHeld
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const result = this.#last.then(() => this.#save<Row>(query)) // V3
    this.#last = result.catch(() => {})
    return result
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    const { rows } = await this.executeQuery<Row>(query)
    for (const row of rows) yield { rows: [row] }
  }

  async #save<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (!this.#isHeld()) throw over() // V4
    const connection = this.#connection
    const saved = connection.run(
      this.#isSaved ? 'release query; savepoint query' : 'savepoint query',
    )
    this.#isSaved = true
    const [, outcome] = await Promise.allSettled([saved, connection.executeQuery<Row>(query)])
    if (outcome.status === 'fulfilled') return outcome.value
    if (this.#isHeld()) await connection.run('rollback to query').catch(() => {}) // V4
    throw outcome.reason
  }
}

function over(): MillraceError {
  return new MillraceError(
    'transaction-closed',
    'the transaction has ended before this query had its turn; await every query before it does',
  )
}
