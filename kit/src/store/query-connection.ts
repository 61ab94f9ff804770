import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'

/** How Kysely's queries are run, of whatever rows. */
export type ExecuteQuery = <Row>(query: CompiledQuery) => Promise<QueryResult<Row>>

/** A connection as Kysely wants it. A stream of rows is read as a whole first. */
export function connectionOf(executeQuery: ExecuteQuery): DatabaseConnection {
  return {
    executeQuery,
    async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
      const { rows } = await executeQuery<Row>(query)
      for (const row of rows) yield { rows: [row] }
    },
  }
}
