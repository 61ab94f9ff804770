import type { Transaction } from 'kysely'
import type { AnyEvent } from '../catalogue/catalogue.ts'
import type { Clock, Random } from '../clock.ts'
import { type Correlation, withCorrelation } from '../correlation.ts'
import type { Effects } from '../effect.ts'
import type { Environment } from '../environment.ts'
import { MillraceError } from '../errors.ts'
import type { Log } from '../log.ts'
import { observedEffect } from '../observe/observed-effect.ts'
import type { Observer } from '../observe/observer.ts'
import type { AnyServiceDefinition } from '../service.ts'
import { openProcessDoor } from '../state/process-door.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { TransactionUndone } from '../store/transaction-undone.ts'
import type { UntypedBatchContext, UntypedEventContext, UntypedHandlerContext } from '../untyped.ts'
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

/** An event, and how it came to us. */
export interface Heard {
  readonly event: AnyEvent
  /** W3C trace context of the record, passed on to what the handler publishes. */
  readonly traceparent: string | null
  readonly tracestate?: string | null
}

interface RunOptions {
  readonly attempt: number
  readonly signal: AbortSignal
  /** Runs first inside the transaction: the inbox row, which decides whether it is a repeat. */
  readonly opened?: (db: Transaction<KitTables>) => Promise<void>
  /** See `ScopeOptions.shared`. */
  readonly shared?: string
}

export interface HandlingOptions extends Heard, RunOptions {}

export interface BatchHandlingOptions extends RunOptions {
  readonly heard: readonly Heard[]
}

/** One run of a handler. Whoever opens it ends it, by `commit` or `rollback`. */
export interface Handling<Context = UntypedHandlerContext> {
  readonly context: Context
  /** False as long as the handler used no transaction: nothing of it is to be committed. */
  isUsed(): boolean
  /** See `Scope.undone`. */
  undone(): TransactionUndone | null
  /** Resolves once all that was published so far is checked; throws what is wrong with it. */
  settled(): Promise<void>
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
  const { event, attempt } = options
  const correlation = correlationOf(options)
  const name = `${event.eventType} ${event.eventId}`
  const work = openWork(tools, { ...options, name, correlation })
  const context = { ...contextOf(tools, options), ...work.of(options), attempt }
  return work.handling(context, (handle) => withCorrelation(correlation, handle))
}

/** As `openHandling`, for several events in one transaction, each with a voice of its own. */
export function openBatchHandling(
  tools: DeliveryTools,
  options: BatchHandlingOptions,
): Handling<UntypedBatchContext> {
  const { heard } = options
  const [first] = heard
  const name = `${heard.length} × ${first?.event.eventType}`
  const correlation = first === undefined ? noCorrelation : correlationOf(first)
  const work = openWork(tools, { ...options, name, correlation })
  const byId = new Map(heard.map((one) => [one.event.eventId, one]))
  const of = ({ eventId }: { readonly eventId: string }): UntypedEventContext => {
    const one = byId.get(eventId)
    if (one !== undefined) return work.of(one)
    throw new MillraceError('definition-invalid', `no event of this batch has id "${eventId}"`)
  }
  const context = { ...contextOf(tools, options), db: work.db, log: tools.log, of }
  // What a batch does has as many causes as events: `of` says which is meant.
  return work.handling(context, (handle) => handle())
}

const noCorrelation: Correlation = { correlationId: '', causationId: null, traceparent: null }

function correlationOf({ event, traceparent, tracestate = null }: Heard): Correlation {
  const { eventId, correlationId } = event
  return { correlationId: correlationId ?? eventId, causationId: eventId, traceparent, tracestate }
}

function contextOf(tools: DeliveryTools, { signal, attempt }: RunOptions) {
  const { store, resources, env } = tools
  return { read: store.read, signal, attempt, resources, env }
}

interface WorkOptions extends RunOptions {
  readonly name: string
  readonly correlation: Correlation
}

/** A run's transaction, and what is said in it, by each of its events. */
function openWork(tools: DeliveryTools, options: WorkOptions) {
  const { service, store, outbox, effects, clock, random, observer } = tools
  const { name, correlation, signal, opened, shared } = options
  const scope = store.scope({
    name: `${service.name} on ${name}`,
    ...(opened === undefined ? {} : { opened }),
    ...(shared === undefined ? {} : { shared }),
    closing: (db) => publisher.finish(db),
    last: () => publisher.last(),
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
  const of = (heard: Heard): UntypedEventContext => {
    const { event } = heard
    const { eventId } = event
    const caused = correlationOf(heard)
    const { correlationId } = caused
    return {
      ...transactionContext({ db: scope.db, publisher, correlation: caused, clock, random }),
      process: openProcessDoor({
        db: scope.db,
        schedule: outbox.schedule,
        later: (timer) => publisher.later(timer),
        source: service.source,
        correlation: caused,
        clock,
        random,
      }),
      effect: observedEffect(tools, event, effects.of({ eventId, scope, signal })),
      log: tools.log.child({ correlationId, eventId }),
    }
  }
  const handling = <Context>(
    context: Context,
    run: Handling<Context>['run'],
  ): Handling<Context> => ({
    context,
    run,
    isUsed: () => scope.isOpen || publisher.isUsed,
    undone: () => scope.undone,
    settled: () => publisher.settled(),
    async commit() {
      await publisher.settled()
      await scope.commit()
      publisher.committed()
    },
    async rollback() {
      publisher.close()
      await scope.rollback()
    },
  })
  return { db: scope.db, of, handling }
}
