import { AsyncLocalStorage } from 'node:async_hooks'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  DefaultQueryExecutor,
  type Kysely,
  SqliteAdapter,
  SqliteQueryCompiler,
  type Transaction,
} from 'kysely'
import type { Clock } from '../clock.ts'
import { MillraceError, messageOf } from '../errors.ts'
import { transactionHeldMsMax } from '../limits.ts'
import { type InstanceLock, lockInstance } from './instance-lock.ts'
import { type KitTables, kitMigrations } from './kit-tables.ts'
import { migrate } from './migrations.ts'
import { type CurrentTransaction, runTransaction } from './run-transaction.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import type { Scope, ScopeOptions, Store } from './store.ts'
import type { Migrations } from './table-definitions.ts'
import { viewTables } from './table-view.ts'
import { TurnScope } from './turn-scope.ts'
import { Writer } from './writer.ts'

export interface SqliteOptions {
  /**
   * The database file; its directory is made if it is missing. `:memory:` is a database that
   * nobody else sees and that is gone with its store, for tests.
   */
  readonly file: string
  /** Whose tables they are: the service's name. */
  readonly owner: string
  readonly migrations: Migrations<KitTables>
  readonly clock: Clock
}

/**
 * Opens a service's database: takes the instance lock, checks the file, runs what migrations are
 * missing. Throws `store-locked`, `store-damaged`, `store-newer`, `store-full` or `store-failed`.
 */
export async function openSqlite(options: SqliteOptions): Promise<Store<KitTables>> {
  if (options.file === ':memory:') return openTemporary(options)
  makeDirectory(options.file)
  return open(options, { synchronous: 'full', closed: () => {} }) // D1
}

/**
 * In memory as far as it matters: a file of its own, which is never synced. SQLite's own databases
 * in memory have no reader beside the writer.
 */
function openTemporary(options: SqliteOptions): Promise<Store<KitTables>> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-memory-'))
  const closed = (): void => rmSync(directory, { recursive: true, force: true })
  const file = join(directory, 'store.sqlite')
  return open({ ...options, file }, { synchronous: 'off', closed })
}

interface Keeping {
  readonly synchronous: 'full' | 'off'
  /** Called once, when the file is closed. */
  readonly closed: () => void
}

async function open(options: SqliteOptions, keeping: Keeping): Promise<Store<KitTables>> {
  const { file, owner, migrations, clock } = options
  const lock = lockInstance(file, clock.nowMs())
  let store: SqliteStore | undefined
  try {
    store = new SqliteStore(options, lock, keeping)
    const shared = { store, nowMs: clock.nowMs(), file }
    await migrate({ ...shared, owner: 'millrace', migrations: kitMigrations })
    await migrate({ ...shared, owner, migrations })
    return store
  } catch (error) {
    if (store === undefined) keeping.closed()
    await store?.[Symbol.asyncDispose]()
    lock.release()
    throw error
  }
}

/**
 * A SQLite file with one connection that writes, behind a queue, and one that reads what is
 * committed. A second writing connection would block the event loop while it waits, and fail.
 *
 * D1. What is committed is on disk before its promise resolves: `synchronous` is FULL. Not so in
 *     memory.
 * D2. Only the writer's turns use the writing connection.
 */
class SqliteStore implements Store<KitTables> {
  readonly dialect = 'sqlite'
  readonly read: Kysely<KitTables>
  readonly #lock: InstanceLock
  readonly #keeping: Keeping
  readonly #writing: SqliteConnection
  readonly #reading: SqliteConnection
  readonly #writer: Writer
  readonly #executor: DefaultQueryExecutor
  #closed: Promise<void> | undefined
  readonly #current: CurrentTransaction = new AsyncLocalStorage()

  constructor({ file, clock }: SqliteOptions, lock: InstanceLock, keeping: Keeping) {
    this.#lock = lock
    this.#keeping = keeping
    this.#writing = new SqliteConnection(file, { readOnly: false })
    try {
      this.#writing.execute('pragma journal_mode = wal')
      this.#writing.execute(`pragma synchronous = ${keeping.synchronous}`)
      this.#writing.execute('pragma foreign_keys = on')
      this.#reading = new SqliteConnection(file, { readOnly: true })
    } catch (error) {
      this.#writing.close()
      throw error
    }
    this.#writer = new Writer(this.#writing, clock)
    const reading = this.#reading
    this.#executor = new DefaultQueryExecutor(new SqliteQueryCompiler(), new SqliteAdapter(), {
      provideConnection: (use) => use(reading),
    })
    this.read = viewTables<KitTables>({ getExecutor: () => this.#executor })
  }

  async transaction<Result>(
    name: string,
    work: (db: Transaction<KitTables>) => Promise<Result>,
  ): Promise<Result> {
    const scope = this.scope({ name })
    return runTransaction({ current: this.#current, name, scope, work })
  }

  scope(options: ScopeOptions<KitTables>): Scope<KitTables> {
    const connection = this.#writing
    return new TurnScope({
      heldMsMax: transactionHeldMsMax,
      ...options,
      executor: this.#executor,
      take: async (turn) => {
        return { turn: await this.#writer.take(turn), connection, hooksConnection: connection }
      },
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#writer.close()
    this.#reading.close()
    this.#writing.close()
    this.#lock.release()
    this.#keeping.closed()
  }
}

function makeDirectory(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true })
  } catch (error) {
    throw new MillraceError(
      'store-failed',
      `the directory of ${file} cannot be made: ${messageOf(error)}`,
      { cause: error },
    )
  }
}
