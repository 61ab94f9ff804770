import type { Kysely, Transaction } from 'kysely'
import type { Catalogue, EventName, EventOf } from './catalogue/catalogue.ts'
import type { Environment } from './environment.ts'
import type { Effect, HandlerOptions, TransactionContext } from './handler.ts'
import type { Log } from './log.ts'

/**
 * What a service does when it hears events, several at once. A batch is one transaction: all of it
 * happens, or nothing. It may hold several events of one key, in their order.
 */
export type BatchHandler<
  C extends Catalogue,
  Name extends EventName<C>,
  Tables,
  Opened extends object = object,
> = (events: readonly EventOf<C, Name>[], context: BatchContext<C, Tables, Opened>) => Promise<void>

export interface BatchContext<C extends Catalogue, Tables, Opened extends object = object> {
  /** The transaction. It opens at the first query or `publish`, and must not wait for others. */
  readonly db: Transaction<Tables>
  /** Reads what is committed. Opens no transaction, so that `effect` may follow. */
  readonly read: Kysely<Tables>
  /** What one event of the batch says and does: what is published has it as its cause. */
  readonly of: (event: { readonly eventId: string }) => EventContext<C, Tables>
  /** Fires when the attempt's time is over, or the service stops. */
  readonly signal: AbortSignal
  /** The highest of its events' attempts; 1 where all of them are new. */
  readonly attempt: number
  /** What the service's `with` opened. */
  readonly resources: Opened
  /** The variables that the host gave the service. */
  readonly env: Environment
  readonly log: Log
}

/** One event of a batch. `db` is the batch's own. */
export interface EventContext<C extends Catalogue, Tables> extends TransactionContext<C, Tables> {
  /** Does something outside the database once for the event: see `Effect`. */
  readonly effect: Effect
  readonly log: Log
}

export interface BatchLimits {
  /** Events of one batch. */
  readonly sizeMax: number
  /** How long the first event waits for others. 0: whatever is ready now is a batch. */
  readonly waitMsMax: number
}

export interface BatchOptions extends HandlerOptions {
  /** Events of one batch: 1 to 1,000. */
  readonly sizeMax: number
  /**
   * How long the first event of a batch waits for others, where fewer than `sizeMax` are there.
   * Default: 0, so that whatever is ready is a batch.
   */
  readonly waitMsMax?: number
}
