import { AsyncLocalStorage } from 'node:async_hooks'
import { DefaultQueryExecutor, type Kysely, PostgresAdapter, type Transaction } from 'kysely'
import type { Clock } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import {
  readConnectionsMax,
  readMsMax,
  sharedConnectionsMax,
  statementMsMax,
  transactionConnectionsMax,
  transactionHeldMsMax,
} from '../limits.ts'
import { type KitTables, kitMigrations } from './kit-tables.ts'
import { migrate } from './migrations.ts'
import { PortablePostgresCompiler } from './postgres-compiler.ts'
import { PostgresPool } from './postgres-pool.ts'
import { withSchemaLock } from './postgres-schema.ts'
import { takePostgresTurn } from './postgres-turn.ts'
import { readPostgresUrl } from './postgres-url.ts'
import { type CurrentTransaction, runTransaction } from './run-transaction.ts'
import { SharedTransactions } from './shared-transactions.ts'
import type { Scope, ScopeOptions, Store } from './store.ts'
import type { Migrations } from './table-definitions.ts'
import { viewTables } from './table-view.ts'
import type { TakenTurn, TurnOptions } from './turn.ts'
import { TurnScope } from './turn-scope.ts'

export interface PostgresOptions {
  /** `postgresql://user:password@host:5432/database` and the driver's parameters. */
  readonly url: string
  /** Whose tables they are: the service's name, which is also its schema's. */
  readonly owner: string
  readonly migrations: Migrations<KitTables>
  readonly clock: Clock
}

/**
 * Opens a service's schema in a PostgreSQL database: makes it if it is missing, and runs the
 * migrations that are. Several instances of the service may start at once: one migrates, the
 * others wait. Throws `config-invalid`, `definition-invalid`, `store-newer` or `store-failed`.
 */
export async function openPostgres(options: PostgresOptions): Promise<Store<KitTables>> {
  const { owner, migrations, clock } = options
  const place = readPostgresUrl(options.url)
  assertSchemaName(owner)
  const store = new PostgresStore(options)
  try {
    await withSchemaLock(place, owner, async () => {
      const file = `schema "${owner}" of ${place.description}`
      const shared = { store, nowMs: clock.nowMs(), file }
      await migrate({ ...shared, owner: 'millrace', migrations: kitMigrations })
      await migrate({ ...shared, owner, migrations })
    })
    return store
  } catch (error) {
    await store[Symbol.asyncDispose]()
    throw error
  }
}

/** PostgreSQL cuts longer names off, and keeps those with `pg_` for itself. */
function assertSchemaName(owner: string): void {
  if (owner.length <= 63 && !owner.startsWith('pg_')) return
  throw new MillraceError(
    'definition-invalid',
    `service "${owner}" cannot have a schema of its name on PostgreSQL: at most 63 characters, ` +
      'and not "pg_" at the beginning',
  )
}

/**
 * A schema in a PostgreSQL database, with connections for transactions and others for reads, so
 * that a read never waits for a writer.
 */
class PostgresStore implements Store<KitTables> {
  readonly dialect = 'postgres'
  readonly read: Kysely<KitTables>
  readonly #clock: Clock
  readonly #reading: PostgresPool
  readonly #writing: PostgresPool
  readonly #sharing: PostgresPool
  readonly #shared: SharedTransactions
  readonly #executor: DefaultQueryExecutor
  readonly #current: CurrentTransaction = new AsyncLocalStorage()
  #closed: Promise<void> | undefined

  constructor({ url, owner, clock }: PostgresOptions) {
    this.#clock = clock
    const shared = { place: readPostgresUrl(url), schema: owner, applicationName: owner }
    const open = (connectionsMax: number, msMax: number): PostgresPool =>
      new PostgresPool({ ...shared, connectionsMax, statementMsMax: msMax })
    this.#reading = open(readConnectionsMax, readMsMax)
    this.#writing = open(transactionConnectionsMax, statementMsMax)
    this.#sharing = open(sharedConnectionsMax, statementMsMax)
    this.#shared = new SharedTransactions(this.#sharing, clock)
    this.#executor = new DefaultQueryExecutor(
      new PortablePostgresCompiler(),
      new PostgresAdapter(),
      {
        provideConnection: async (use) => {
          const lease = await this.#reading.lease('read')
          try {
            return await use(lease.connection)
          } finally {
            lease.release({ isUsable: true })
          }
        },
      },
    )
    this.read = viewTables<KitTables>({ getExecutor: () => this.#executor })
  }

  async transaction<Result>(
    name: string,
    work: (db: Transaction<KitTables>) => Promise<Result>,
  ): Promise<Result> {
    return runTransaction({ current: this.#current, name, scope: this.scope({ name }), work })
  }

  scope(options: ScopeOptions<KitTables>): Scope<KitTables> {
    return new TurnScope({
      heldMsMax: transactionHeldMsMax,
      ...options,
      executor: this.#executor,
      take: (turn) => this.#take(turn, options.shared),
    })
  }

  async #take(turn: TurnOptions, kind: string | undefined): Promise<TakenTurn> {
    if (kind !== undefined && this.#shared.admits(kind)) return this.#shared.take(kind, turn)
    const taken = await takePostgresTurn(this.#writing, this.#clock, turn)
    return kind === undefined ? taken : this.#watched(taken, kind)
  }

  /** A kind that is alone because it failed often shares again once it fails seldom. */
  #watched(taken: TakenTurn, kind: string): TakenTurn {
    const { turn } = taken
    return {
      ...taken,
      turn: {
        get isHeld() {
          return turn.isHeld
        },
        keep: async () => {
          await turn.keep()
          this.#shared.wasAlone(kind, true)
        },
        drop: async () => {
          if (turn.isHeld) this.#shared.wasAlone(kind, false)
          await turn.drop()
        },
      },
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await Promise.all([this.#sharing.close(), this.#writing.close()])
    await this.#reading.close()
  }
}
