import { type Clock, type Environment, type KafkaConfig, openLog, type System } from '@millrace/kit'
import { logFileBytesMax } from '../limits.ts'
import { servePage } from '../start-page/page-server.ts'
import type { Addresses } from './addresses.ts'
import { BrokerKeeper } from './broker-keeper.ts'
import { launchBroker } from './broker-process.ts'
import type { DataDirectory } from './data-directory.ts'
import { LiveStatusReader } from './live-status-reader.ts'
import { LogFile } from './log-file.ts'
import type { HostOverview } from './overview.ts'
import { startParts } from './running-parts.ts'
import { type StopOutcome, type Stoppable, stopInOrder } from './stop.ts'
import { Warnings } from './warnings.ts'

export interface HostOptions {
  readonly systems: readonly System[]
  readonly addresses: Addresses
  readonly overview: HostOverview
  readonly paths: DataDirectory
  readonly env: Environment
  /** Where the services find Kafka; the embedded broker is started where that is its address. */
  readonly kafka: KafkaConfig
  readonly clock: Clock
  /** A line for the user. */
  readonly say: (line: string) => void
}

export interface Host {
  /** Drains and ends everything, the broker last. */
  stop(): Promise<StopOutcome>
  /** Ends the broker's process where it stands; the rest ends with this process. */
  kill(): void
}

/**
 * Starts the broker in a process of its own, and in this process the development servers, the
 * services and the start page. Where one part cannot start, the others are stopped again.
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const { addresses, overview, paths, kafka, clock, say } = options
  /** In the order in which they started: they are stopped from the end. */
  const stages: (readonly Stoppable[])[] = []
  const stop = async () => stopInOrder(stages.toReversed(), { clock, say })
  const logs = openLogs(options)
  stages.push([{ name: 'the log', stop: async () => logs.close() }])
  let broker: BrokerKeeper | undefined
  try {
    if (addresses.broker.length > 0) {
      broker = await startBroker(options, logs.broker)
      stages.push([{ name: 'the broker', stop: broker.stop.bind(broker) }])
    }
    const parts = await startParts({ ...options, directory: paths.services, log: logs.log })
    const status = new LiveStatusReader({
      services: parts.services,
      kafka: kafka.enabled ? kafka : null,
    })
    stages.push([...parts.servers, named('the start page', status)], parts.services)
    const page = await servePage({
      port: addresses.startPage,
      overview,
      status: async () => status.read(),
    })
    stages.push([named('the start page', page)])
  } catch (error) {
    await stop()
    throw error
  }
  return { stop, kill: () => broker?.kill() }
}

function named(name: string, part: AsyncDisposable): Stoppable {
  return { name, stop: async () => part[Symbol.asyncDispose]() }
}

function openLogs({ paths, kafka, clock, say }: HostOptions) {
  const services = new LogFile(paths.logFile, logFileBytesMax)
  const broker = new LogFile(paths.brokerLogFile, logFileBytesMax)
  const warnings = new Warnings(clock, say)
  const sink = {
    write(line: string) {
      services.write(line)
      warnings.write(line)
    },
  }
  return {
    log: openLog({ name: 'millrace', level: kafka.logLevel, sink }),
    broker,
    close() {
      services[Symbol.dispose]()
      broker[Symbol.dispose]()
    },
  }
}

async function startBroker(
  { addresses, paths, clock, say }: HostOptions,
  log: LogFile,
): Promise<BrokerKeeper> {
  const launch = () =>
    launchBroker({ ports: addresses.broker, directory: paths.broker, log, clock })
  return BrokerKeeper.start({ launch, clock, say })
}
