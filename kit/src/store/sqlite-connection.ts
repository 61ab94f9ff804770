import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { MillraceError } from '../errors.ts'
import { statementsMax } from '../limits.ts'
import { rolledBack, storeError } from './store-error.ts'

interface Prepared {
  readonly statement: StatementSync
  /** Of the rows that it returns; none for a statement that returns no rows. */
  readonly columns: readonly string[]
}

/**
 * One connection to a SQLite file, as Kysely wants it. Every query runs to its end within the
 * call, on this thread.
 *
 * Q1. Each SQL text is prepared once, for the `statementsMax` most recent texts.
 * Q2. The connection that writes runs queries in transactions only: after the database has
 *     rolled back by itself, the next one would commit alone, without what came before it.
 */
export class SqliteConnection implements DatabaseConnection {
  readonly #file: string
  readonly #database: DatabaseSync
  readonly #isReadOnly: boolean
  readonly #statements = new Map<string, Prepared>()

  constructor(file: string, { readOnly }: { readonly readOnly: boolean }) {
    this.#file = file
    this.#isReadOnly = readOnly
    try {
      // Nobody else writes, so that there is nothing to wait for: a lock is an error at once.
      this.#database = new DatabaseSync(file, { readOnly, timeout: 0 })
    } catch (error) {
      throw storeError(error, file)
    }
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  /** Runs SQL that returns nothing and is not worth preparing. */
  execute(sql: string): void {
    try {
      this.#database.exec(sql)
    } catch (error) {
      throw storeError(error, this.#file)
    }
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const values = parameters.map(toSqlite)
    try {
      const prepared = this.#prepare(sql)
      if (!this.#isReadOnly && !this.isTransaction) throw rolledBack() // Q2
      if (prepared.columns.length > 0) return { rows: rowsOf<Row>(prepared, values) }
      const { statement } = prepared
      const { changes, lastInsertRowid } = statement.run(...values)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    } catch (error) {
      throw storeError(error, this.#file)
    }
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    const { rows } = await this.executeQuery<Row>(query)
    for (const row of rows) yield { rows: [row] }
  }

  close(): void {
    if (!this.#database.isOpen) return
    this.#statements.clear()
    this.#database.close()
  }

  #prepare(sql: string): Prepared {
    if (!this.#database.isOpen) {
      throw new MillraceError('service-stopped', `${this.#file} is closed: the service has stopped`)
    }
    const known = this.#statements.get(sql)
    if (known !== undefined) {
      this.#statements.delete(sql)
      this.#statements.set(sql, known)
      return known
    }
    const statement = this.#database.prepare(sql)
    statement.setReturnArrays(true)
    const prepared = { statement, columns: statement.columns().map(({ name }) => name) }
    this.#statements.set(sql, prepared)
    const [oldest] = this.#statements.keys()
    if (this.#statements.size > statementsMax && oldest !== undefined) {
      this.#statements.delete(oldest) // Q1
    }
    return prepared
  }
}

/**
 * What the rows are is Kysely's claim, from the query and the tables' types; SQLite cannot know.
 * Its own row objects have no prototype, which `deepEqual` and some libraries stumble over, and
 * to copy them takes three times as long as to make ours from arrays.
 */
function rowsOf<Row>(prepared: Prepared, values: readonly SQLInputValue[]): Row[]
function rowsOf({ statement, columns }: Prepared, values: readonly SQLInputValue[]): object[] {
  const rows: readonly object[] = statement.all(...values)
  return rows.map((row) => {
    const record: Record<string, unknown> = {}
    const cells = Array.isArray(row) ? row : []
    for (const [index, column] of columns.entries()) record[column] = cells[index]
    return record
  })
}

function toSqlite(value: unknown): SQLInputValue {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint') {
    return value
  }
  if (value instanceof Uint8Array) return value
  const hint = value instanceof Date ? 'its toISOString() or getTime()' : 'JSON.stringify of it'
  throw new TypeError(`SQLite cannot store ${describe(value)}; pass ${hint}`)
}

function describe(value: unknown): string {
  return value instanceof Date ? 'a Date' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
}
