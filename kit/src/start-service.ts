import type { Catalogue } from './catalogue/catalogue.ts'
import type { Clock, Random } from './clock.ts'
import type { KafkaConfig } from './config/kafka-config.ts'
import type { Log } from './log.ts'
import type { Environment, RunningServer, ServerContext } from './server.ts'
import type { Transport } from './transport/transport.ts'

export interface StartOptions {
  /** Where the service's database lies: `<directory>/<service>.sqlite`. Made if missing. */
  readonly directory: string
  /** Where the service finds Kafka (`KAFKA_*`) and its neighbours. Default: the process's. */
  readonly env?: Environment
  /** The port of its HTTP server, where it has one. Default: 0, so that the system chooses. */
  readonly port?: number
  /** In place of the `KAFKA_*` variables. */
  readonly kafka?: KafkaConfig
  /** In place of a Kafka client, for tests. The service closes it when it stops. */
  readonly transport?: Transport
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Log
}

/** A service that runs, until it is stopped or disposed of. */
export interface RunningService<C extends Catalogue, Tables>
  extends ServerContext<C, Tables>,
    AnyRunningService {}

export interface AnyRunningService extends AsyncDisposable {
  readonly name: string
  /** What `serve` started, with the addresses it listens on. */
  readonly servers: readonly RunningServer[]
  /** Stops serving, finishes what runs, sends what it can, closes the database. */
  stop(): Promise<void>
}
