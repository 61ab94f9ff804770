import type { DatabaseConnection, DefaultQueryExecutor, Transaction } from 'kysely'
import { MillraceError } from '../errors.ts'
import type { KitTables } from './kit-tables.ts'
import { connectionOf } from './query-connection.ts'
import type { Scope, ScopeOptions } from './store.ts'
import { viewTransaction } from './table-view.ts'
import { TransactionUndone } from './transaction-undone.ts'
import type { TakenTurn, TurnOptions } from './turn.ts'

export interface TurnScopeOptions extends ScopeOptions<KitTables> {
  /** Waits for the right to write. Rejects where there is none to be had. */
  readonly take: (options: TurnOptions) => Promise<TakenTurn>
  /** Compiles queries; where they run is the scope's matter. */
  readonly executor: DefaultQueryExecutor
  readonly heldMsMax: number
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening'; readonly opened: Promise<void> }
  | { readonly kind: 'open'; readonly taken: TakenTurn }
  | { readonly kind: 'committing'; readonly taken: TakenTurn }
  /** `error` is what closed it against its will; null where it was ended. */
  | { readonly kind: 'closed'; readonly error: { readonly reason: unknown } | null }

/**
 * One handler's transaction, on any database. It waits for its turn at its first query, runs
 * `opened`, then that query; see `Scope`.
 *
 * S1. A query runs only while the scope holds its turn; before it waits, afterwards it throws.
 * S2. `opened` is the first that happens in the turn, `closing` and the last write are the end.
 * S3. What closed the scope against its will (an error of `opened`, its time being over, a
 *     neighbour in a shared transaction) is what `commit` throws.
 */
export class TurnScope implements Scope<KitTables> {
  readonly db: Transaction<KitTables>
  readonly #options: TurnScopeOptions
  /** For `opened` and `closing`, when users' queries must wait or are refused. */
  readonly #hooksDb: Transaction<KitTables>
  #state: State = { kind: 'idle' }
  #taken: TakenTurn | null = null
  #undone: TransactionUndone | null = null
  /** S1, at the very moment of each query: a turn may end while a connection is handed over. */
  readonly #usersConnection = connectionOf((query) => this.#opened().connection.executeQuery(query))
  readonly #hooksConnection = connectionOf((query) =>
    this.#held().hooksConnection.executeQuery(query),
  )

  constructor(options: TurnScopeOptions) {
    this.#options = options
    const { executor } = options
    this.db = transactionOn(executor, async () => {
      await this.open()
      return this.#usersConnection
    })
    this.#hooksDb = transactionOn(executor, async () => this.#hooksConnection)
  }

  get isOpen(): boolean {
    return this.#state.kind !== 'idle' && this.#state.kind !== 'closed'
  }

  get undone(): TransactionUndone | null {
    return this.#undone
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
    const { taken } = this.#state
    this.#state = { kind: 'committing', taken }
    try {
      await this.#options.closing?.(this.#hooksDb)
      this.#held()
      await this.#keep(taken)
    } catch (error) {
      this.#close({ reason: error })
      this.#remember(error)
      await taken.turn.drop()
      throw error
    }
  }

  async #keep({ turn, keepWith }: TakenTurn): Promise<void> {
    const last = this.#options.last?.() ?? null
    if (last !== null && keepWith !== undefined) {
      await keepWith({ last, db: this.#hooksDb })
      this.#close(null)
      return
    }
    await last?.write(this.#hooksDb)
    this.#held()
    const kept = turn.keep()
    this.#close(null)
    await kept
  }

  async rollback(): Promise<void> {
    const state = this.#state
    this.#close(null)
    if (state.kind === 'open' || state.kind === 'committing') await state.taken.turn.drop()
  }

  async #open(): Promise<void> {
    const { take, name, heldMsMax, opened } = this.#options
    const lost = (reason: Error): void => {
      this.#close({ reason })
      this.#remember(reason)
    }
    const taken = await take({ name, heldMsMax, lost })
    this.#taken = taken
    try {
      this.#held()
      await opened?.(this.#hooksDb)
      this.#held()
      this.#state = { kind: 'open', taken }
    } catch (error) {
      this.#close({ reason: error })
      await taken.turn.drop()
      throw error
    }
  }

  /** S3: the first reason stands. */
  #close(error: { readonly reason: unknown } | null): void {
    if (this.#state.kind !== 'closed') this.#state = { kind: 'closed', error }
  }

  #remember(error: unknown): void {
    if (error instanceof TransactionUndone) this.#undone ??= error
  }

  #opened(): TakenTurn {
    if (this.#state.kind === 'open') return this.#state.taken
    if (this.#state.kind === 'closed') throw this.#reasonOf(this.#state.error)
    throw this.#ended()
  }

  #held(): TakenTurn {
    if (this.#state.kind === 'closed') throw this.#reasonOf(this.#state.error)
    if (this.#taken === null) throw this.#ended()
    return this.#taken
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
  ready: () => Promise<DatabaseConnection>,
): Transaction<KitTables> {
  const provided = executor.withConnectionProvider({
    provideConnection: async (use) => use(await ready()),
  })
  return viewTransaction<KitTables>({ getExecutor: () => provided })
}
