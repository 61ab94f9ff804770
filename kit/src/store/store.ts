import type { Kysely, Transaction } from 'kysely'
import type { LastWrite } from './last-write.ts'
import type { TransactionUndone } from './transaction-undone.ts'

/**
 * Where a service keeps its own tables and the kit's: one database a service. Queries are
 * Kysely's and the same on every store; what differs is how transactions are opened and
 * what they lock.
 */
export interface Store<Tables> extends AsyncDisposable {
  /** For the few statements that differ. */
  readonly dialect: Dialect
  /** Reads what is committed. Opens no transaction and never waits for a writer. */
  readonly read: Kysely<Tables>
  /** Runs `work` in one writing transaction: all of it commits, or nothing. */
  transaction<Result>(
    name: string,
    work: (db: Transaction<Tables>) => Promise<Result>,
  ): Promise<Result>
  /** A transaction that opens at its first use: see `Scope`. */
  scope(options: ScopeOptions<Tables>): Scope<Tables>
}

export type Dialect = 'sqlite' | 'postgres'

export interface ScopeOptions<Tables> {
  /** Named in the error when the transaction stays open too long. */
  readonly name: string
  /** How long it may hold the writer. Default: 5 s. */
  readonly heldMsMax?: number
  /** Runs first inside the transaction, before the query that opened it. May throw. */
  readonly opened?: (db: Transaction<Tables>) => Promise<void>
  /** Runs last inside the transaction, before it commits. May throw: it is then rolled back. */
  readonly closing?: (db: Transaction<Tables>) => Promise<void>
  /** Asked after `closing`: what is to be written right before the COMMIT; null for nothing. */
  readonly last?: () => LastWrite | null
  /**
   * May share one database transaction with other scopes, which makes many times as many commits
   * a second: all of them commit, or none (see `Scope.undone`). It names what the scope is one of
   * many of, a subscription: those that fail often, are slow or could see each other's work are
   * given transactions of their own. Default: it is alone. SQLite, whose scopes take turns, shares
   * by itself and undoes no neighbours.
   */
  readonly shared?: string
}

/**
 * One handler's transaction. It opens at the first use of `db`, so that a handler that waits
 * for the network first holds no transaction and no lock (design §3.4). The time limit is
 * counted from holding the writer, not from waiting for it.
 */
export interface Scope<Tables> {
  readonly db: Transaction<Tables>
  /** True from the first query until commit or rollback. */
  readonly isOpen: boolean
  /**
   * What undid the scope, where it shared a transaction of which nothing was committed: its
   * `commit` and late queries throw it. To be run again; alone, where it was its own doing.
   */
  readonly undone: TransactionUndone | null
  /** Opens the transaction if no query has. */
  open(): Promise<void>
  /** Opens if need be, runs `closing`, commits. After it, every query throws. */
  commit(): Promise<void>
  /** Safe to call in any state. After it, every query throws. */
  rollback(): Promise<void>
}
