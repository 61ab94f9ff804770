import type { Transaction } from 'kysely'
import type { AnyEvent } from '../catalogue/catalogue.ts'
import type { Clock, Random } from '../clock.ts'
import { type Correlation, withCorrelation } from '../correlation.ts'
import type { Effects } from '../effect.ts'
import type { Environment } from '../environment.ts'
import type { Log } from '../log.ts'
import { observedEffect } from '../observe/observed-effect.ts'
import type { Observer } from '../observe/observer.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { UntypedHandlerContext } from '../untyped.ts'
import type { Outbox } from './outbox.ts'
import { Publisher } from './publisher.ts'
import { transactionContext } from './transaction-context.ts'

/** What every delivery of a service works with. */
export interface DeliveryTools {
  readonly service: AnyServiceDefinition
  readonly store: Store<KitTables>
  readonly outbox: Outbox
  readonly effects: Effects
  readonly clock: Clock
  readonly random: Random
  /** What the service's `with` opened. */
  readonly resources: object
  readonly env: Environment
  readonly log: Log
  readonly observer: Observer
}

export interface HandlingOptions {
  readonly event: AnyEvent
  /** W3C trace context of the record, passed on to what the handler publishes. */
  readonly traceparent: string | null
  readonly tracestate?: string | null
  readonly attempt: number
  readonly signal: AbortSignal
  /** Runs first inside the transaction: the inbox row, which decides whether it is a repeat. */
  readonly opened?: (db: Transaction<KitTables>) => Promise<void>
}

/** One run of a handler. Whoever opens it ends it, by `commit` or `rollback`. */
export interface Handling {
  readonly context: UntypedHandlerContext
  /** Runs the handler's code, with the event's correlation around it. */
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /**
   * Commits what the handler changed and said, with the inbox row of `opened`; a handler that
   * used neither `db` nor `publish` takes its transaction here. Then nudges the relay.
   */
  commit(): Promise<void>
  /** Safe in any state; late queries and publishes throw `transaction-closed`. */
  rollback(): Promise<void>
}

export function openHandling(tools: DeliveryTools, options: HandlingOptions): Handling {
  const { service, store, outbox, effects, clock, random, observer } = tools
  const { event, traceparent, tracestate = null, attempt, signal, opened } = options
  const correlation: Correlation = {
    correlationId: event.correlationId ?? event.eventId,
    causationId: event.eventId,
    traceparent,
    tracestate,
  }
  const scope = store.scope({
    name: `${service.name} on ${event.eventType} ${event.eventId}`,
    ...(opened === undefined ? {} : { opened }),
    closing: (db) => publisher.flush(db),
  })
  const publisher = new Publisher({
    catalogue: service.catalogue,
    source: service.source,
    outbox,
    correlation,
    clock,
    random,
    observer,
    open: () => scope.open(),
  })
  const { eventId } = event
  const context: UntypedHandlerContext = {
    ...transactionContext({ db: scope.db, publisher, correlation, clock, random }),
    read: store.read,
    effect: observedEffect(tools, event, effects.of({ eventId, scope, signal })),
    signal,
    attempt,
    resources: tools.resources,
    env: tools.env,
    log: tools.log.child({ correlationId: correlation.correlationId, eventId }),
  }
  return {
    context,
    run: (work) => withCorrelation(correlation, work),
    async commit() {
      await publisher.settled()
      await scope.commit()
      publisher.committed()
    },
    async rollback() {
      publisher.close()
      await scope.rollback()
    },
  }
}
