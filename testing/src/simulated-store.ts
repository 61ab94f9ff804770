import { AsyncLocalStorage } from 'node:async_hooks'
import type { KitTables, Scope, ScopeOptions, Store } from '@millrace/kit'
import {
  type CurrentTransaction,
  runTransaction,
  TurnScope,
  viewTables,
} from '@millrace/kit/inside'
import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteQueryCompiler,
  type Transaction,
} from 'kysely'
import type { Agenda } from './agenda.ts'
import type { DatabaseWriter } from './database-writer.ts'
import type { Life } from './life.ts'
import { transactionHeldMsMax } from './limits.ts'
import type { MemoryDatabase } from './memory-database.ts'

export interface SimulatedStoreOptions {
  readonly life: Life
  readonly agenda: Agenda
  readonly database: MemoryDatabase
  readonly writer: DatabaseWriter
  /** True where every query is a step of its own; else only what begins and ends a transaction. */
  readonly isFine: boolean
}

/** One life's door to its service's database: the kit's own scopes over a database in memory. */
export class SimulatedStore implements Store<KitTables> {
  readonly read: Kysely<KitTables>
  readonly dialect = 'sqlite'
  readonly #options: SimulatedStoreOptions
  readonly #writing: DatabaseConnection
  readonly #executor: DefaultQueryExecutor
  readonly #current: CurrentTransaction = new AsyncLocalStorage()

  constructor(options: SimulatedStoreOptions) {
    this.#options = options
    const { database } = options
    const reading = connection(options, (query) => database.read(query))
    this.#writing = connection(options, (query) => database.run(query))
    this.#executor = new DefaultQueryExecutor(new SqliteQueryCompiler(), new SqliteAdapter(), {
      provideConnection: (use) => use(reading),
    })
    this.read = viewTables<KitTables>({ getExecutor: () => this.#executor })
  }

  transaction<Result>(
    name: string,
    work: (db: Transaction<KitTables>) => Promise<Result>,
  ): Promise<Result> {
    return runTransaction({ current: this.#current, name, scope: this.scope({ name }), work })
  }

  scope(options: ScopeOptions<KitTables>): Scope<KitTables> {
    const { life, writer } = this.#options
    const connection = this.#writing
    const scope = new TurnScope({
      heldMsMax: transactionHeldMsMax,
      ...options,
      take: async (turn) => {
        return { turn: await writer.take(life, turn), connection, hooksConnection: connection }
      },
      executor: this.#executor,
    })
    scopes.set(scope.db, scope)
    return scope
  }

  /** The database outlives its instances. */
  async [Symbol.asyncDispose](): Promise<void> {}
}

const scopes = new WeakMap<object, Scope<KitTables>>()

/** Whether a handler's transaction has been opened by a query of its. */
export function isOpened(db: object): boolean {
  return scopes.get(db)?.isOpen === true
}

type Run = <Row>(query: CompiledQuery) => QueryResult<Row>

/** A query sees the database as it is when it is asked; a fine schedule lets its answer wait. */
function connection({ life, agenda, isFine }: SimulatedStoreOptions, run: Run): DatabaseConnection {
  const executeQuery = <Row>(query: CompiledQuery): Promise<QueryResult<Row>> => {
    const { promise, resolve, reject } = Promise.withResolvers<QueryResult<Row>>()
    if (life.isDead) return promise
    try {
      const result = run<Row>(query)
      const answer = (): void => resolve(result)
      if (isFine)
        agenda.add({ life, what: `reads an answer: ${firstWords(query.sql)}`, perform: answer })
      else answer()
    } catch (error) {
      reject(error)
    }
    return promise
  }
  return {
    executeQuery,
    async *streamQuery(query) {
      const { rows } = await executeQuery<never>(query)
      for (const row of rows) yield { rows: [row] }
    },
  }
}

function firstWords(sql: string): string {
  const line = sql.trim().replaceAll(/\s+/g, ' ')
  const [, act = line.slice(0, 40)] = /^(\w+ (?:into |from )?"?\w+"?)/.exec(line) ?? []
  return act.replaceAll('"', '')
}
