import {
  type CompiledQuery,
  DefaultQueryExecutor,
  type Kysely,
  PostgresAdapter,
  type QueryExecutor,
  type QueryResult,
} from 'kysely'
import { MillraceError } from '../errors.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { PortablePostgresCompiler } from '../store/postgres-compiler.ts'
import { connectionOf } from '../store/query-connection.ts'
import { viewTables } from '../store/table-view.ts'

/**
 * A transaction on PostgreSQL that somebody opened by other means than the kit: Kysely's, a `pg`
 * client between its BEGIN and COMMIT, or Drizzle's on `pg`.
 */
export type OwnTransaction = KyselyTransaction | PostgresClient | DrizzleTransaction

export interface KyselyTransaction {
  readonly isTransaction: boolean
  getExecutor(): QueryExecutor
}

export interface PostgresClient {
  query(text: string, values: unknown[]): Promise<object>
  /** Since pg 8.21: `T` in a transaction. */
  getTransactionStatus?(): string | null
}

export interface DrizzleTransaction {
  /** What a transaction has and a database has not. */
  rollback(): never
  execute(query: { getSQL(): object } | string): PromiseLike<unknown>
}

/** The kit's tables in that transaction. Throws `definition-invalid` where it is none. */
export function tablesIn(transaction: OwnTransaction): Kysely<KitTables> {
  if ('getExecutor' in transaction) {
    if (!transaction.isTransaction) throw noTransaction('a Kysely that is no transaction')
    // A plugin of theirs, for names in another case or schema, is not for our tables.
    const executor = transaction.getExecutor().withoutPlugins()
    return viewTables<KitTables>({ getExecutor: () => executor })
  }
  if ('query' in transaction && typeof transaction.query === 'function') {
    return tablesOf(transaction)
  }
  if ('execute' in transaction && 'rollback' in transaction) {
    return tablesOver((text, values) => transaction.execute(drizzleSql(text, values)))
  }
  throw noTransaction('what is no transaction of Kysely, pg or Drizzle')
}

function tablesOf(client: PostgresClient): Kysely<KitTables> {
  if ('totalCount' in client) throw noTransaction('a pool, whose queries are on any connection')
  const status = client.getTransactionStatus?.()
  if (status === 'I') throw noTransaction('a client without an open transaction')
  return tablesOver((text, values) => client.query(text, values))
}

type RunSql = (text: string, values: unknown[]) => PromiseLike<unknown>

function tablesOver(run: RunSql): Kysely<KitTables> {
  const connection = connectionOf(async <Row>({ sql, parameters }: CompiledQuery) =>
    resultOf<Row>(await run(sql, [...parameters])),
  )
  const executor = new DefaultQueryExecutor(new PortablePostgresCompiler(), new PostgresAdapter(), {
    provideConnection: (use) => use(connection),
  })
  return viewTables<KitTables>({ getExecutor: () => executor })
}

/** What the rows are is Kysely's claim, from the query and the tables' types. */
function resultOf<Row>(result: unknown): QueryResult<Row>
function resultOf(result: unknown): QueryResult<unknown> {
  const hasRows = typeof result === 'object' && result !== null && 'rows' in result
  return { rows: hasRows && Array.isArray(result.rows) ? result.rows : [] }
}

/** What Drizzle takes for SQL of its own: it asks for the text and the values, and runs them. */
function drizzleSql(sql: string, params: unknown[]) {
  return { getSQL: () => ({ toQuery: () => ({ sql, params }) }) }
}

function noTransaction(what: string): MillraceError {
  return new MillraceError(
    'definition-invalid',
    `publishInto was given ${what}; give it the open transaction in which the data is written`,
  )
}
