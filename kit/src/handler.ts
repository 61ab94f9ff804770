import type { Kysely, Transaction } from 'kysely'
import type { BodyOf, Catalogue, EventName, EventOf } from './catalogue/catalogue.ts'
import type { Environment } from './environment.ts'
import type { Log } from './log.ts'
import type { CancelOutcome } from './schedule/schedule.ts'
import type { OpenAggregates } from './state/aggregate.ts'

/** What a service does when it hears an event. */
export type Handler<
  C extends Catalogue,
  Name extends EventName<C>,
  Tables,
  Opened extends object = object,
> = (event: EventOf<C, Name>, context: HandlerContext<C, Tables, Opened>) => Promise<void>

export interface HandlerContext<C extends Catalogue, Tables, Opened extends object = object>
  extends TransactionContext<C, Tables> {
  /** Reads what is committed. Opens no transaction, so that `effect` may follow. */
  readonly read: Kysely<Tables>
  /** Does something outside the database once: see `Effect`. */
  readonly effect: Effect
  /** Fires when the attempt's time is over, or the service stops. */
  readonly signal: AbortSignal
  /** 1 for the first run of the handler on this event. */
  readonly attempt: number
  /** What the service's `with` opened. */
  readonly resources: Opened
  /** The variables that the host gave the service: where it finds the others. */
  readonly env: Environment
  readonly log: Log
}

export interface TransactionContext<C extends Catalogue, Tables> {
  /** The transaction. It opens at the first query or `publish`, and must not wait for others. */
  readonly db: Transaction<Tables>
  readonly publish: Publish<C>
  /**
   * Takes back an event that was published for later, by its `scheduleId`, in the open
   * transaction. Its outcome says whether it was in time.
   */
  readonly cancel: Cancel
  /** Opens an event-sourced aggregate in the transaction: see `OpenAggregate`. */
  readonly aggregate: OpenAggregates<C>
}

export type Cancel = (scheduleId: string) => Promise<CancelOutcome>

/**
 * Says an event in the open transaction (P1). It is checked by its schemas at once; one that
 * does not fit is rejected with `event-invalid` and never reaches the outbox (P8). Resolves with
 * the event's id, once it is checked; it is said when the transaction commits.
 */
export type Publish<C extends Catalogue> = <Name extends EventName<C>>(
  name: Name,
  body: BodyOf<C, Name>,
  options?: PublishOptions,
) => Promise<string>

export interface PublishOptions {
  /** Goes into the envelope as it is. */
  readonly metadata?: Readonly<Record<string, unknown>>
  /**
   * Says it at that time, which becomes its `timestamp`; a time that is over means at once. It
   * waits in the database until then, and is said once, never early by the service's clock.
   */
  readonly at?: Date
  /** As `at`, counted from now. Give one of the two. */
  readonly afterMs?: number
  /**
   * By which a later event is cancelled; scheduling the same id again moves what waits under it.
   * Default: the event's id.
   */
  readonly scheduleId?: string
}

/**
 * Runs `act` unless it already succeeded for this event, name and person, and records its
 * success at once, in a transaction of its own, before the handler goes on. Between the other
 * side's acceptance and that commit lies a window in which a crash makes `act` run again, with
 * the same key: an other side that knows the key repeats nothing. In an open transaction it
 * throws `effect-in-transaction`, because a rollback could not undo it.
 */
export interface Effect {
  (name: string, act: (key: string) => Promise<unknown>): Promise<void>
  /** One effect for each of several people. */
  (name: string, person: string, act: (key: string) => Promise<unknown>): Promise<void>
}

export interface HandlerOptions {
  readonly retry?: RetryOptions
  /**
   * Runs at once, each on another key; 1 handles one event at a time. Default, and at most: 100,
   * which all handlers of the service share.
   */
  readonly concurrency?: number
  /** An attempt that takes longer has failed; its `signal` fires. Default: 30 s. */
  readonly timeoutMs?: number
  /**
   * After the last attempt: `park` puts the event and those of its key behind it aside (P5);
   * `skip` puts this one aside and goes on, for handlers that need no order. Default: park.
   */
  readonly onExhausted?: 'park' | 'skip'
  /**
   * What happens when its past is replayed. `suppress`: it changes the database again, and what it
   * does and says beside it does not happen. `safe`: it happens, except for effects that
   * succeeded before. `forbid`: a replay is refused. Default: suppress.
   */
  readonly replay?: 'safe' | 'suppress' | 'forbid'
}

/** Exponential backoff with full jitter: each wait is drawn from 0 to the step's limit. */
export interface RetryOptions {
  /** Runs in all, the first included, whatever failed in each. Default: 5. */
  readonly attemptsMax?: number
  /**
   * True for an error that another attempt would only repeat: the event is given up at once. So
   * it is for `Fatal`, and for any error with `retriable: false`. Default: no other error.
   */
  readonly fatal?: (error: unknown) => boolean
  /** The first step's limit; it doubles with each attempt. Default: 500 ms. */
  readonly delayMsMin?: number
  /** No step is longer. Default: 5 min. */
  readonly delayMsMax?: number
  /**
   * In place of the above, for handlers that need no order (`onExhausted: 'skip'`): what fails
   * waits on a topic of its own, `<topic>.<group>.retry-5s` for a delay of 5,000, and is handled
   * from there when the time is over, never before. One attempt for each delay, after the first.
   */
  readonly topics?: readonly number[]
}
