import type { Kysely, Transaction } from 'kysely'
import type { Registry } from 'prom-client'
import type { BatchContext, BatchHandler, BatchLimits } from './batch-handler.ts'
import type { AnyEvent, Catalogue } from './catalogue/catalogue.ts'
import type { Environment } from './environment.ts'
import type {
  Cancel,
  Effect,
  Handler,
  HandlerContext,
  HandlerOptions,
  PublishOptions,
  TransactionContext,
} from './handler.ts'
import type { ServiceHealth } from './health/service-health.ts'
import type { Log } from './log.ts'
import type { MetricsPage } from './observe/service-metrics.ts'
import type { UntypedPublishInto } from './outbox/publish-into.ts'
import type { Resources } from './resources.ts'
import type { RunningServer, ServerContext, StartServer, TransactionOptions } from './server.ts'
import type { UntypedOpenAggregates } from './state/open-aggregate.ts'
import type { ProcessDoor } from './state/process-door.ts'
import type { KitTables } from './store/kit-tables.ts'
import { viewTables, viewTransaction } from './store/table-view.ts'

/**
 * Inside the kit neither a service's tables nor its events are known to the compiler; at its
 * edge they are. This file is the edge: it has the contexts of both sides, and what turns one
 * into the other without a cast.
 */

export interface UntypedTransactionContext {
  readonly db: Transaction<KitTables>
  readonly publish: UntypedPublish
  readonly cancel: Cancel
  readonly aggregate: UntypedOpenAggregates
}

/** Checks the name and the body at run time, as the compiler did for typed callers. */
export type UntypedPublish = (
  name: string,
  body: unknown,
  options?: PublishOptions,
) => Promise<string>

/** What one event says and does. */
export interface UntypedEventContext extends UntypedTransactionContext {
  /** For the kit's own handlers: those of process managers. */
  readonly process: ProcessDoor
  readonly effect: Effect
  readonly log: Log
}

interface UntypedRunContext {
  readonly db: Transaction<KitTables>
  readonly read: Kysely<KitTables>
  readonly signal: AbortSignal
  readonly attempt: number
  readonly resources: object
  readonly env: Environment
  readonly log: Log
}

export interface UntypedHandlerContext extends UntypedRunContext, UntypedEventContext {}

export interface UntypedBatchContext extends UntypedRunContext {
  readonly of: (event: { readonly eventId: string }) => UntypedEventContext
}

/** Methods, so that a handler of one event is a handler of events in general. */
export type UntypedHandler = {
  readonly eventName: string
  readonly options: HandlerOptions
} & (
  | {
      readonly batch?: never
      handle(event: AnyEvent, context: UntypedHandlerContext): Promise<void>
    }
  | {
      readonly batch: BatchLimits
      handleBatch(events: readonly AnyEvent[], context: UntypedBatchContext): Promise<void>
    }
)

export type UntypedTransaction = <Result>(
  work: (context: UntypedTransactionContext) => Promise<Result>,
  options?: TransactionOptions,
) => Promise<Result>

export interface UntypedServerContext {
  readonly name: string
  readonly port: number
  readonly env: Environment
  readonly log: Log
  readonly read: Kysely<KitTables>
  readonly resources: object
  readonly ready: boolean
  readonly health: () => Promise<ServiceHealth>
  readonly storeUnknown: () => Promise<string | null>
  readonly metrics: Registry
  readonly metricsPage: () => Promise<MetricsPage>
  readonly transaction: UntypedTransaction
  readonly publishInto: UntypedPublishInto
}

export type UntypedStartServer = (running: UntypedServerContext) => Promise<RunningServer>

export interface HandlerPlace<Opened extends object> {
  readonly eventName: string
  readonly options: HandlerOptions
  readonly resources: Resources<Opened>
}

export function untypedHandler<
  C extends Catalogue,
  Name extends keyof C['events'] & string,
  Tables,
  Opened extends object,
>(
  { eventName, options, resources }: HandlerPlace<Opened>,
  handler: Handler<C, Name, Tables, Opened>,
): UntypedHandler {
  const typed: {
    handle(event: AnyEvent, context: HandlerContext<C, Tables, Opened>): Promise<void>
  } = { handle: handler }
  return {
    eventName,
    options,
    handle: (event, context) =>
      typed.handle(event, {
        ...context,
        ...typedTransactionContext<C, Tables>(context),
        read: viewTables<Tables>(context.read),
        resources: resources.of(context.resources),
      }),
  }
}

export interface BatchPlace<Opened extends object> extends HandlerPlace<Opened> {
  readonly batch: BatchLimits
}

export function untypedBatchHandler<
  C extends Catalogue,
  Name extends keyof C['events'] & string,
  Tables,
  Opened extends object,
>(
  { eventName, options, batch, resources }: BatchPlace<Opened>,
  handler: BatchHandler<C, Name, Tables, Opened>,
): UntypedHandler {
  const typed: {
    handle(events: readonly AnyEvent[], context: BatchContext<C, Tables, Opened>): Promise<void>
  } = { handle: handler }
  return {
    eventName,
    options,
    batch,
    handleBatch: (events, context) =>
      typed.handle(events, {
        ...context,
        db: viewTransaction<Tables>(context.db),
        read: viewTables<Tables>(context.read),
        resources: resources.of(context.resources),
        of: (event) => {
          const one = context.of(event)
          return { ...one, ...typedTransactionContext<C, Tables>(one) }
        },
      }),
  }
}

export function untypedServer<C extends Catalogue, Tables, Opened extends object>(
  resources: Resources<Opened>,
  start: StartServer<C, Tables, Opened>,
): UntypedStartServer {
  return (running) => start(typedServerContext<C, Tables, Opened>(resources, running))
}

export function typedServerContext<C extends Catalogue, Tables, Opened extends object>(
  resources: Resources<Opened>,
  running: UntypedServerContext,
): ServerContext<C, Tables, Opened> {
  const { transaction } = running
  return {
    name: running.name,
    port: running.port,
    env: running.env,
    log: running.log,
    read: viewTables<Tables>(running.read),
    resources: resources.of(running.resources),
    health: running.health,
    storeUnknown: running.storeUnknown,
    metrics: running.metrics,
    metricsPage: running.metricsPage,
    get ready() {
      return running.ready
    },
    publishInto: running.publishInto,
    transaction: <Result>(
      work: (context: TransactionContext<C, Tables>) => Promise<Result>,
      options?: TransactionOptions,
    ) => transaction((context) => work(typedTransactionContext<C, Tables>(context)), options),
  }
}

export function typedTransactionContext<C extends Catalogue, Tables>({
  db,
  publish,
  cancel,
  aggregate,
}: UntypedTransactionContext): TransactionContext<C, Tables> {
  return { db: viewTransaction<Tables>(db), publish, cancel, aggregate }
}
