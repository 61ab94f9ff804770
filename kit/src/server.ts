import type { Kysely } from 'kysely'
import type { Registry } from 'prom-client'
import type { Catalogue } from './catalogue/catalogue.ts'
import type { Environment } from './environment.ts'
import type { TransactionContext } from './handler.ts'
import type { ServiceHealth } from './health/service-health.ts'
import type { Log } from './log.ts'
import type { MetricsPage } from './observe/service-metrics.ts'
import type { PublishInto } from './outbox/publish-into.ts'

/** Starts a part of the service that listens, and says where. */
export type StartServer<C extends Catalogue, Tables, Opened extends object = object> = (
  running: ServerContext<C, Tables, Opened>,
) => Promise<RunningServer>

export interface RunningServer {
  /** Where it listens, for the host's table of addresses. */
  readonly urls?: readonly string[]
  /** Takes no new work, finishes what runs, and ends. */
  stop(): Promise<void>
}

/** What a server of the service works with. `startService` says what each member does. */
export interface ServerContext<C extends Catalogue, Tables, Opened extends object = object> {
  readonly name: string
  /** The port that the host gives the service's HTTP server; 0 lets the system choose. */
  readonly port: number
  readonly env: Environment
  readonly log: Log
  readonly read: Kysely<Tables>
  /** What the service's `with` opened. */
  readonly resources: Opened
  /** True from the end of the start to the beginning of the stop, whatever Kafka does. */
  readonly ready: boolean
  readonly health: () => Promise<ServiceHealth>
  /** Why the database does not answer; null where it does. Answers within two seconds. */
  readonly storeUnknown: () => Promise<string | null>
  /** Where the service adds metrics of its own; `/metrics` tells them with the kit's. */
  readonly metrics: Registry
  /** What `/metrics` answers now. */
  readonly metricsPage: () => Promise<MetricsPage>
  readonly transaction: <Result>(
    work: (context: TransactionContext<C, Tables>) => Promise<Result>,
    options?: TransactionOptions,
  ) => Promise<Result>
  /** Says an event in a transaction that was opened without the kit: see `PublishInto`. */
  readonly publishInto: PublishInto<C>
}

export interface TransactionOptions {
  /** Named in the error when it stays open too long. Default: the service's name. */
  readonly name?: string
  /** Default: that of the HTTP request or the event being handled, else a new one. */
  readonly correlationId?: string
  /** The id of the command or event that caused it. */
  readonly causationId?: string
}
