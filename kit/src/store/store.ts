import type { Kysely, Transaction } from 'kysely'

/**
 * Where a service keeps its own tables and the kit's: one database a service. Queries are
 * Kysely's and the same on every store; what differs is how transactions are opened and
 * what they lock.
 */
export interface Store<Tables> extends AsyncDisposable {
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

export interface ScopeOptions<Tables> {
  /** Named in the error when the transaction stays open too long. */
  readonly name: string
  /** How long it may hold the writer. Default: 5 s. */
  readonly heldMsMax?: number
  /** Runs first inside the transaction, before the query that opened it. May throw. */
  readonly opened?: (db: Transaction<Tables>) => Promise<void>
  /** Runs last inside the transaction, before it commits. May throw: it is then rolled back. */
  readonly closing?: (db: Transaction<Tables>) => Promise<void>
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
  /** Opens the transaction if no query has. */
  open(): Promise<void>
  /** Opens if need be, runs `closing`, commits. After it, every query throws. */
  commit(): Promise<void>
  /** Safe to call in any state. After it, every query throws. */
  rollback(): Promise<void>
}
