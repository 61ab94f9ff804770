import { MillraceError } from '../errors.ts'
import { migrationHeldMsMax } from '../limits.ts'
import type { KitTables } from './kit-tables.ts'
import type { Store } from './store.ts'
import type { Migrations } from './table-definitions.ts'

export interface MigrateOptions {
  readonly store: Store<KitTables>
  /** Whose migrations they are: the kit's and a service's names may coincide. */
  readonly owner: string
  readonly migrations: Migrations<KitTables>
  readonly nowMs: number
  /** Names the database in errors. */
  readonly file: string
}

/**
 * Runs the migrations that the database has not seen, each in a transaction of its own. Throws
 * `store-newer` where it has seen one that this program does not have, and
 * `definition-invalid` where a new one was put before one that it has seen.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { store, owner, migrations, nowMs } = options
  await inMigration(store, 'migrations table', async (db) => {
    await db.schema
      .createTable('millrace_migrations')
      .ifNotExists()
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('applied_at_ms', 'integer', (column) => column.notNull())
      .addPrimaryKeyConstraint('millrace_migrations_key', ['owner', 'name'])
      .execute()
  })
  const seen = await seenBy(options)
  assertSequence(Object.keys(migrations), seen, options)
  for (const [name, step] of Object.entries(migrations)) {
    if (seen.has(name)) continue
    await inMigration(store, `migration ${name}`, async (db) => {
      await step(db)
      await db
        .insertInto('millrace_migrations')
        .values({ owner, name, applied_at_ms: nowMs })
        .execute()
    })
  }
}

async function seenBy({ store, owner }: MigrateOptions): Promise<ReadonlySet<string>> {
  const rows = await store.read
    .selectFrom('millrace_migrations')
    .select('name')
    .where('owner', '=', owner)
    .execute()
  return new Set(rows.map(({ name }) => name))
}

function assertSequence(
  names: readonly string[],
  seen: ReadonlySet<string>,
  { file, owner }: MigrateOptions,
): void {
  const unknown = [...seen].find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new MillraceError(
      'store-newer',
      `${file} was written by a newer version: it has seen migration "${unknown}" of ${owner}, ` +
        'which this program does not have. Start the newer version, or a copy from before it',
    )
  }
  const firstNew = names.findIndex((name) => !seen.has(name))
  if (firstNew !== -1 && firstNew < seen.size) {
    throw new MillraceError(
      'definition-invalid',
      `migration "${names[firstNew]}" of ${owner} stands before one that ${file} has seen; ` +
        'append new migrations, never insert them',
    )
  }
}

async function inMigration(
  store: Store<KitTables>,
  name: string,
  work: (db: Store<KitTables>['read']) => Promise<void>,
): Promise<void> {
  const scope = store.scope({ name, heldMsMax: migrationHeldMsMax, closing: work })
  await scope.commit()
}
