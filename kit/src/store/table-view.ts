import {
  type Dialect,
  DummyDriver,
  Kysely,
  type QueryExecutor,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  Transaction,
} from 'kysely'

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
const dialect: Dialect = {
  createDriver: () => new DummyDriver(),
  createQueryCompiler: () => new SqliteQueryCompiler(),
  createAdapter: () => new SqliteAdapter(),
  createIntrospector: (db) => new SqliteIntrospector(db),
}
const driver = dialect.createDriver()

function propsOf(executor: QueryExecutor) {
  return { config: { dialect }, dialect, driver, executor }
}
