// What a broker is made of: it opens the disk, recovers, listens, and closes all of it again.

import { randomBytes } from 'node:crypto'
import type { Api, Shape } from '@millrace/wire'
import type { BrokerParts } from './broker-parts.ts'
import { type BrokerSettings, brokerSettingsDefault } from './broker-settings.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Disk } from './disk/disk.ts'
import { openMemoryDisk } from './disk/memory-disk.ts'
import { openNodeDisk } from './disk/node-disk.ts'
import type { Endpoint } from './endpoint.ts'
import { GroupCoordinator } from './groups/coordinator.ts'
import { type Intercept, Interceptors } from './intercept.ts'
import { type ListenerSettings, listenAll } from './listen.ts'
import { Housekeeping } from './log/housekeeping.ts'
import { LogDirectory } from './log/log-directory.ts'
import { ProducerIds } from './producer-ids.ts'
import { servedApis } from './router.ts'
import type { ReadStrategy } from './socket-reader.ts'
import { TopicCatalogue } from './topics/catalogue.ts'
import { TopicConfigs } from './topics/config.ts'
import { WaitingFetches } from './waiting-fetches.ts'

/** Where records are kept: gone with the process, in a directory, or on a disk of the caller. */
export type Storage = 'memory' | { readonly directory: string } | { readonly disk: Disk }

export interface BrokerOptions extends Partial<BrokerSettings> {
  /** By default one, on both loopback addresses, at a port that the system gives. */
  readonly listeners?: readonly ListenerSettings[]
  readonly storage?: Storage
  readonly clock?: Clock
  /** One line for people: what recovery found, why a connection was closed. Silent by default. */
  readonly report?: (line: string) => void
  /** How sockets are read; for tests of the broker itself. */
  readonly reads?: ReadStrategy
}

export interface Broker extends AsyncDisposable {
  /** 16 bytes in base64url; of a data directory, the same after every start. */
  readonly clusterId: string
  /** What clients are told to connect to, one for each listener. */
  readonly addresses: readonly Endpoint[]
  /** The first address as `host:port`, for `bootstrap.servers`. */
  readonly bootstrap: string
  /**
   * Puts a function before one API, until what is returned is disposed of: it may look at a
   * request, delay, change, answer or drop it, or cut its connection. For tests.
   */
  intercept<Request extends Shape, Response extends Shape>(
    api: Api<Request, Response>,
    intercept: Intercept<Request, Response>,
  ): Disposable
  /** Closes connections, syncs and closes the logs. Calling it again does nothing. */
  close(): Promise<void>
}

/**
 * Starts a broker in this process. It accepts clients when it resolves.
 * @throws ListenError, DiskError (`locked`), JournalError, LogDamagedError: each says what to do
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const { listeners = [{ port: 0 }], reads = 'arena' } = options
  await using listening = new AsyncDisposableStack()
  const opened = await listenAll(listeners, reads)
  for (const { listeners } of opened) for (const listener of listeners) listening.use(listener)
  const endpoints = opened.map(({ endpoint }) => endpoint)

  await using opening = new AsyncDisposableStack()
  const parts = await openParts(options, endpoints, opening)
  for (const { listeners, endpoint } of opened) {
    for (const listener of listeners) listener.serve(parts, endpoint)
  }
  // Closed in the reverse order: first nobody is served any more, at last the disk is given back.
  const owned = opening.move()
  owned.use(listening.move())
  const [first] = endpoints
  return {
    clusterId: parts.clusterId,
    addresses: endpoints,
    bootstrap: first === undefined ? '' : `${first.host}:${first.port}`,
    intercept: (api, intercept) => parts.interceptors.add(api, intercept),
    close: () => owned.disposeAsync(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function openParts(
  options: BrokerOptions,
  endpoints: readonly Endpoint[],
  opening: AsyncDisposableStack,
): Promise<BrokerParts> {
  const { clock = systemClock, report = () => {} } = options
  const settings: BrokerSettings = { ...brokerSettingsDefault, ...options }
  const { flush } = settings
  const now = (): number => clock.nowMs()
  const disk = openDisk(options.storage ?? 'memory', now)
  const clusterId = randomBytes(16).toString('base64url')
  const logs = opening.use(await LogDirectory.open({ disk, flush, now, report, clusterId }))
  const configs = new TopicConfigs(settings.topicDefaults)
  const topics = opening.use(await TopicCatalogue.open({ disk, logs, flush, configs, report }))
  opening.use(new Housekeeping(logs, clock, report))
  const producerIds = opening.use(await ProducerIds.open({ disk, flush, report }))
  const groups = opening.use(await GroupCoordinator.open({ disk, settings, clock, report }))
  const waitingFetches = new WaitingFetches(clock)
  opening.defer(() => waitingFetches.wakeAll())
  topics.onDeleted(async ({ name }) => {
    waitingFetches.wakeAll()
    await groups.forgetTopic(name)
  })
  return {
    apis: servedApis,
    clusterId: logs.clusterId,
    settings,
    clock,
    report,
    endpoints,
    logs,
    topics,
    groups,
    producerIds,
    waitingFetches,
    interceptors: new Interceptors(),
  }
}

function openDisk(storage: Storage, now: () => number): Disk {
  if (storage === 'memory') return openMemoryDisk(now)
  return 'disk' in storage ? storage.disk : openNodeDisk(storage.directory)
}
