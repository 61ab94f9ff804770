import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import type { Client, QueryResult as PostgresResult } from 'pg'
import { statementParametersMax, statementsMax } from '../limits.ts'
import { isSpent, postgresError } from './postgres-error.ts'

/** Commands whose count of rows is a count of changes. */
const changing = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

/**
 * One connection to PostgreSQL, as Kysely wants it. Queries are sent as they come, without
 * waiting for those before them, and answered in their order.
 *
 * C1. A SQL text is prepared once, under a name of its own: `statementsMax` of them, of at most
 *     `statementParametersMax` parameters, because the server keeps them until the end.
 * C2. What one turn of the event loop asks goes out in one piece.
 * C3. `isSpent` is true once the connection must not be used for another transaction.
 */
export class PostgresConnection implements DatabaseConnection {
  readonly #client: Client
  /** Names the database in errors. */
  readonly #place: string
  readonly #names = new Map<string, string>()
  #isCorked = false
  #isSpent = false

  constructor(client: Client, place: string) {
    this.#client = client
    this.#place = place
  }

  get isSpent(): boolean {
    return this.#isSpent
  }

  /** Runs SQL without parameters that gives no rows. Resolves with the command that was done. */
  async run(sql: string): Promise<string> {
    this.#cork()
    try {
      const { command } = await this.#client.query(sql)
      return command
    } catch (error) {
      throw this.#told(error)
    }
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    this.#cork()
    const { sql, parameters } = query
    const name = this.#nameOf(query)
    const values = [...parameters]
    try {
      return resultOf<Row>(
        await this.#client.query(
          name === null ? { text: sql, values } : { name, text: sql, values },
        ),
      )
    } catch (error) {
      throw this.#told(error)
    }
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    const { rows } = await this.executeQuery<Row>(query)
    for (const row of rows) yield { rows: [row] }
  }

  #told(error: unknown): unknown {
    if (isSpent(error)) this.#isSpent = true // C3
    return postgresError(error, this.#place)
  }

  /** C1. */
  #nameOf({ sql, parameters }: CompiledQuery): string | null {
    const known = this.#names.get(sql)
    if (known !== undefined) return known
    if (this.#names.size >= statementsMax || parameters.length > statementParametersMax) return null
    const name = `millrace_${this.#names.size}`
    this.#names.set(sql, name)
    return name
  }

  /** C2. */
  #cork(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    const { stream } = this.#client.connection
    stream.cork()
    process.nextTick(() => {
      this.#isCorked = false
      stream.uncork()
    })
  }
}

/** What the rows are is Kysely's claim, from the query and the tables' types. */
function resultOf<Row>(result: PostgresResult): QueryResult<Row>
function resultOf({ command, rowCount, rows }: PostgresResult): QueryResult<unknown> {
  if (!changing.has(command)) return { rows }
  return { rows, numAffectedRows: BigInt(rowCount ?? 0) }
}
