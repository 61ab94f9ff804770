import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import type { Environment } from '../environment.ts'
import type { KitTables } from './kit-tables.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'
import type { Store } from './store.ts'
import type { Migrations } from './table-definitions.ts'

export interface OpenStoreOptions {
  readonly env: Environment
  /** Where SQLite's file lies. */
  readonly directory: string
  /** The service. */
  readonly owner: string
  readonly migrations: Migrations<KitTables>
  readonly clock: Clock
}

/**
 * Opens a service's store: a schema of its own in the database of `DATABASE_URL`, or where that
 * is not set, the SQLite file `<directory>/<owner>.sqlite`. Throws what those throw.
 */
export function openStore(options: OpenStoreOptions): Promise<Store<KitTables>> {
  const { env, directory, owner, migrations, clock } = options
  const url = env['DATABASE_URL'] ?? ''
  if (url !== '') return openPostgres({ url, owner, migrations, clock })
  return openSqlite({ file: join(directory, `${owner}.sqlite`), owner, migrations, clock })
}
