import type { Kysely } from 'kysely'

/** Steps of a schema by name, each run in a transaction of its own, in the order written. */
export type Migrations<Tables> = Readonly<Record<string, (db: Kysely<Tables>) => Promise<void>>>

/**
 * The tables of a service: their types, and the migrations that make them. A migration is run
 * once, in the order written here, and known by its name ever after: append, never change.
 */
export interface TableDefinitions<Tables> {
  readonly migrations: Migrations<Tables>
}

/** Declares a service's tables: `defineTables<{ tasks: TaskTable }>({ '001 tasks': … })`. */
export function defineTables<Tables>(migrations: Migrations<Tables>): TableDefinitions<Tables> {
  return { migrations }
}
