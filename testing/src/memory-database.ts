import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { CompiledQuery, QueryResult } from 'kysely'

type Statement = Pick<CompiledQuery, 'sql' | 'parameters'>

interface Prepared {
  readonly statement: StatementSync
  readonly columns: readonly string[]
}

/** Every table with its rows. */
export type KeptRows = readonly {
  readonly table: string
  readonly rows: readonly (readonly unknown[])[]
}[]

/**
 * A service's database in memory, on one connection, so that a schedule costs microseconds. It
 * outlives the instances that use it, as a disk does.
 *
 * M1. One transaction is open, or none.
 * M2. `read` sees what is committed: what an open transaction did is undone for it and then done
 *     again, statement by statement.
 */
export class MemoryDatabase {
  readonly #database = new DatabaseSync(':memory:')
  readonly #prepared = new Map<string, Prepared>()
  /** What the open transaction did so far; null where none is open. */
  #done: Statement[] | null = null

  /** `image`: what another database's `image()` gave. */
  constructor(image: Uint8Array | null) {
    if (image !== null) this.#database.deserialize(image)
    this.#database.exec('pragma foreign_keys = on')
  }

  image(): Uint8Array {
    return this.#database.serialize()
  }

  get isOpen(): boolean {
    return this.#done !== null
  }

  begin(): void {
    this.#database.exec('begin')
    this.#done = []
  }

  /** Runs a statement in the open transaction. */
  run<Row>(statement: Statement): QueryResult<Row> {
    const result = this.#execute<Row>(statement)
    this.#done?.push(statement)
    return result
  }

  /** Runs a query on what is committed (M2). */
  read<Row>(statement: Statement): QueryResult<Row> {
    const done = this.#done
    if (done === null || done.length === 0) return this.#execute<Row>(statement)
    this.#database.exec('rollback')
    try {
      return this.#execute<Row>(statement)
    } finally {
      this.#database.exec('begin')
      for (const again of done) this.#execute(again)
    }
  }

  commit(): void {
    this.#database.exec('commit')
    this.#done = null
  }

  rollback(): void {
    this.#done = null
    if (this.#database.isTransaction) this.#database.exec('rollback')
  }

  /** Puts every table back as it was when `kept` was made; statements stay prepared. */
  reset(kept: KeptRows): void {
    this.rollback()
    this.#database.exec('pragma foreign_keys = off; begin')
    for (const { table, rows } of kept) {
      this.#execute({ sql: `delete from "${table}"`, parameters: [] })
      for (const row of rows) {
        const marks = row.map(() => '?').join(', ')
        this.#execute({ sql: `insert into "${table}" values (${marks})`, parameters: row })
      }
    }
    this.#database.exec('commit; pragma foreign_keys = on')
  }

  /** All that the tables hold now, for `reset`. Null where a table is more than its rows. */
  keep(): KeptRows | null {
    const names = this.read<{ name: string; sql: string }>({
      sql: "select name, sql from sqlite_master where type = 'table' order by name",
      parameters: [],
    }).rows
    if (names.some(({ sql }) => /^create virtual/i.test(sql))) return null
    return names.map(({ name: table }) => {
      const { rows } = this.read<Record<string, unknown>>({
        sql: `select * from "${table}"`,
        parameters: [],
      })
      return { table, rows: rows.map((row) => Object.values(row)) }
    })
  }

  close(): void {
    this.#prepared.clear()
    this.#database.close()
  }

  #execute<Row>({ sql, parameters }: Statement): QueryResult<Row> {
    const { statement, columns } = this.#prepare(sql)
    const values = parameters.map(toSqlite)
    if (columns.length > 0) return { rows: rowsOf<Row>({ statement, columns }, values) }
    const { changes, lastInsertRowid } = statement.run(...values)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    statement.setReturnArrays(true)
    const prepared = { statement, columns: statement.columns().map(({ name }) => name) }
    this.#prepared.set(sql, prepared)
    return prepared
  }
}

/** What the rows are is the query's claim, by its tables' types; SQLite cannot know. */
function rowsOf<Row>(prepared: Prepared, values: readonly SQLInputValue[]): Row[]
function rowsOf({ statement, columns }: Prepared, values: readonly SQLInputValue[]): object[] {
  const rows: readonly object[] = statement.all(...values)
  return rows.map((row) => {
    const cells = Array.isArray(row) ? row : []
    const record: Record<string, unknown> = {}
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
  throw new TypeError(`SQLite cannot store a ${typeof value}; pass JSON.stringify of it`)
}
