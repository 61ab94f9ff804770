import type { DatabaseConnection, DefaultQueryExecutor, Transaction } from 'kysely'
import { MillraceError } from '../errors.ts'
import type { KitTables } from './kit-tables.ts'
import type { Scope, ScopeOptions } from './store.ts'
import { viewTransaction } from './table-view.ts'
import type { Turn, Writer } from './writer.ts'

export interface SqliteScopeOptions extends ScopeOptions<KitTables> {
  /** Gives the turns: the `Writer`, or what stands in for it. */
  readonly writer: Pick<Writer, 'take'>
  readonly connection: DatabaseConnection
  /** Compiles queries; where they run is the scope's matter. */
  readonly executor: DefaultQueryExecutor
  readonly heldMsMax: number
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening'; readonly opened: Promise<void> }
  | { readonly kind: 'open'; readonly turn: Turn }
  | { readonly kind: 'committing'; readonly turn: Turn }
  /** `error` is what closed it against its will; null where it was ended. */
  | { readonly kind: 'closed'; readonly error: { readonly reason: unknown } | null }

/**
 * One handler's transaction on SQLite. It waits for the writer at its first query, runs
 * `opened`, then that query; see `Scope`.
 *
 * S1. A query runs only while the scope holds its turn; before it waits, afterwards it throws.
 * S2. `opened` is the first and `closing` the last that happens in the turn.
 * S3. What closed the scope against its will (an error of `opened`, its time being over) is what
 *     `commit` throws.
 */
export class SqliteScope implements Scope<KitTables> {
  readonly db: Transaction<KitTables>
  readonly #options: SqliteScopeOptions
  /** For `opened` and `closing`, when users' queries must wait or are refused. */
  readonly #hooksDb: Transaction<KitTables>
  #state: State = { kind: 'idle' }

  constructor(options: SqliteScopeOptions) {
    this.#options = options
    const { executor, connection } = options
    this.db = transactionOn(executor, connection, () => this.open())
    this.#hooksDb = transactionOn(executor, connection, async () => this.#assertHeld())
  }

  get isOpen(): boolean {
    return this.#state.kind !== 'idle' && this.#state.kind !== 'closed'
  }

  async open(): Promise<void> {
    switch (this.#state.kind) {
      case 'idle': {
        const opened = this.#open()
        this.#state = { kind: 'opening', opened }
        return opened
      }
      case 'opening':
        return this.#state.opened
      case 'open':
        return undefined
      case 'committing':
        throw this.#ended()
      case 'closed':
        throw this.#reasonOf(this.#state.error)
    }
  }

  async commit(): Promise<void> {
    await this.open()
    if (this.#state.kind !== 'open') throw this.#ended()
    const { turn } = this.#state
    this.#state = { kind: 'committing', turn }
    try {
      await this.#options.closing?.(this.#hooksDb)
      this.#assertHeld()
      const kept = turn.keep()
      this.#close(null)
      await kept
    } catch (error) {
      turn.drop()
      this.#close({ reason: error })
      throw error
    }
  }

  async rollback(): Promise<void> {
    const state = this.#state
    this.#close(null)
    if (state.kind === 'open' || state.kind === 'committing') state.turn.drop()
  }

  async #open(): Promise<void> {
    const { writer, name, heldMsMax, opened } = this.#options
    const expired = (reason: MillraceError) => this.#close({ reason })
    const turn = await writer.take({ name, heldMsMax, expired })
    if (this.#state.kind === 'closed') {
      turn.drop()
      throw this.#reasonOf(this.#state.error)
    }
    try {
      await opened?.(this.#hooksDb)
      this.#assertHeld()
      this.#state = { kind: 'open', turn }
    } catch (error) {
      turn.drop()
      this.#close({ reason: error })
      throw error
    }
  }

  /** S3: the first reason stands. */
  #close(error: { readonly reason: unknown } | null): void {
    if (this.#state.kind !== 'closed') this.#state = { kind: 'closed', error }
  }

  #assertHeld(): void {
    if (this.#state.kind === 'closed') throw this.#reasonOf(this.#state.error)
  }

  #reasonOf(error: { readonly reason: unknown } | null): unknown {
    return error === null ? this.#ended() : error.reason
  }

  #ended(): MillraceError {
    return new MillraceError(
      'transaction-closed',
      `the transaction "${this.#options.name}" has ended; await every query before it does`,
    )
  }
}

function transactionOn(
  executor: DefaultQueryExecutor,
  connection: DatabaseConnection,
  ready: () => Promise<void>,
): Transaction<KitTables> {
  const provided = executor.withConnectionProvider({
    async provideConnection(use) {
      await ready()
      return use(connection)
    },
  })
  return viewTransaction<KitTables>({ getExecutor: () => provided })
}
