import {
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryExecutor,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  Transaction,
} from 'kysely'
import { MillraceError } from '../errors.ts'
import type { Dialect as StoreDialect } from './store.ts'

/** What a view is made of: Kysely's instances and transactions both have it. */
export interface ExecutorSource {
  getExecutor(): QueryExecutor
}

/**
 * The same connection seen as other tables: queries go through the executor, which knows
 * nothing of types, so a view costs a quarter of a microsecond and can change nothing.
 */
export function viewTables<Tables>(source: ExecutorSource): Kysely<Tables> {
  return new Kysely<Tables>(propsOf(source.getExecutor()))
}

/** As `viewTables`, for a transaction. */
export function viewTransaction<Tables>(source: ExecutorSource): Transaction<Tables> {
  return new Transaction<Tables>(propsOf(source.getExecutor()))
}

/** Kysely asks the dialect only for `introspection`; all else goes through the executor. */
const sqlite: Dialect = {
  createDriver: () => driver,
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createAdapter: () => new SqliteAdapter(),
  createIntrospector: (db) => new SqliteIntrospector(db),
}

const postgres: Dialect = {
  createDriver: () => driver,
  createQueryCompiler: () => new PostgresQueryCompiler(),
  createAdapter: () => new PostgresAdapter(),
  createIntrospector: (db) => new PostgresIntrospector(db),
}

/** Which database a query goes to, for a migration or a query that is not the same on both. */
export function dialectOf(source: ExecutorSource): StoreDialect {
  return source.getExecutor().adapter instanceof PostgresAdapter ? 'postgres' : 'sqlite'
}

/** Kysely's own ways to open a transaction would pass by the writer's queue. */
const driver: Driver = {
  init: refuse,
  acquireConnection: refuse,
  beginTransaction: refuse,
  commitTransaction: refuse,
  rollbackTransaction: refuse,
  releaseConnection: refuse,
  destroy: refuse,
}

async function refuse(): Promise<never> {
  throw new MillraceError(
    'definition-invalid',
    'transactions and connections are opened by the kit: use transaction() of the running service',
  )
}

function propsOf(executor: QueryExecutor) {
  const dialect = executor.adapter instanceof PostgresAdapter ? postgres : sqlite
  return { config: { dialect }, dialect, driver, executor }
}
