import type { Catalogue } from './catalogue/catalogue.ts'
import { type Clock, type Random, systemClock } from './clock.ts'
import { type KafkaConfig, readKafkaConfig } from './config/kafka-config.ts'
import type { DeadLetters } from './dead-letter/dead-letters.ts'
import { Effects } from './effect.ts'
import type { Environment } from './environment.ts'
import { MillraceError } from './errors.ts'
import { HealthReader, type ServiceHealth } from './health/service-health.ts'
import { type ConsumerOptions, type RunningConsumer, startConsumer } from './inbox/consumer.ts'
import type { Instances } from './instances/instances.ts'
import { openInstances } from './instances/open-instances.ts'
import { outboxUnsentMax, outboxUnsentMaxDisabled } from './limits.ts'
import { type Log, openLog } from './log.ts'
import { Observation } from './observe/observation.ts'
import type { Observer } from './observe/observer.ts'
import { ServiceLog, secretsOf } from './observe/service-log.ts'
import { Outbox } from './outbox/outbox.ts'
import { readOutboxCarrier } from './outbox/outbox-carrier.ts'
import { OwnTransactions } from './outbox/publish-into.ts'
import { Relay } from './outbox/relay.ts'
import { openTransactions } from './outbox/transaction.ts'
import { Projections } from './projection/projections.ts'
import type { ReplayOutcome, ReplayRequest, ReplayWatch } from './replay/replay.ts'
import { openReplay } from './replay/run-replay.ts'
import { disposeResources, type Resources } from './resources.ts'
import { Scheduler } from './schedule/scheduler.ts'
import type { RunningServer, ServerContext } from './server.ts'
import type { AnyServiceDefinition, ServiceDefinition } from './service.ts'
import { ProcessRetention } from './state/process-retention.ts'
import type { KitTables } from './store/kit-tables.ts'
import { openStore } from './store/open-store.ts'
import type { Store } from './store/store.ts'
import { openKafka } from './transport/kafka.ts'
import type { Transport } from './transport/transport.ts'
import { typedServerContext, type UntypedServerContext } from './untyped.ts'

export interface StartOptions {
  /**
   * Where the service's database lies, `<directory>/<service>.sqlite`, unless `DATABASE_URL` in
   * `env` names a PostgreSQL. Made if missing.
   */
  readonly directory: string
  /** Where the service finds Kafka (`KAFKA_*`) and its neighbours. Default: the process's. */
  readonly env?: Environment
  /** The port of its HTTP server, where it has one. Default: 0, so that the system chooses. */
  readonly port?: number
  /** In place of the `KAFKA_*` variables. */
  readonly kafka?: KafkaConfig
  /** In place of a Kafka client, for tests. The service closes it when it stops. */
  readonly transport?: Transport
  /** In place of a database in `directory`, migrated. The service closes it when it stops. */
  readonly store?: Store<KitTables>
  /** In place of those that share the store, for tests of several instances in one process. */
  readonly instances?: Instances
  readonly clock?: Clock
  readonly random?: Random
  readonly log?: Log
  /** Told of each step of each event, beside what the kit observes itself. */
  readonly observer?: Observer
  /**
   * False: it tells nothing on `millrace.services` and `millrace.traces`, for simulators.
   * Default: true.
   */
  readonly announces?: boolean
}

/** A service that runs, until it is stopped or disposed of. */
export interface RunningService<C extends Catalogue, Tables, Opened extends object = object>
  extends ServerContext<C, Tables, Opened>,
    AnyRunningService {}

/** A running service whose tables and events the compiler does not know, for hosts. */
export interface AnyRunningService extends AsyncDisposable {
  readonly name: string
  /** True from the end of its start to the beginning of its stop, whatever Kafka does. */
  readonly ready: boolean
  /** What `serve` started, with the addresses it listens on. */
  readonly servers: readonly RunningServer[]
  readonly health: () => Promise<ServiceHealth>
  /** What was put aside, and what to do with it. */
  readonly deadLetters: DeadLetters
  /**
   * Gives handlers the past of their events once more, while the live group goes on untouched.
   * Throws `replay-refused` where a handler forbids it, `kafka-unavailable` where Kafka is away.
   */
  readonly replay: (request: ReplayRequest, watch?: ReplayWatch) => Promise<ReplayOutcome>
  /** How its projections stand, and the way to build one anew. */
  readonly projections: Pick<Projections, 'status' | 'rebuild'>
  /**
   * Takes no new requests, finishes what runs, hands over what it was reading, sends what it has
   * said as far as Kafka takes it, and closes the database. Safe to call twice.
   */
  readonly stop: () => Promise<void>
}

/**
 * Starts a service. It does not wait for Kafka: topics are made and events flow as soon as it
 * answers. Throws `config-invalid`, `port-in-use`, or what `openStore` throws; whatever was
 * started until then is stopped again.
 */
export function startService<C extends Catalogue, Tables, Opened extends object>(
  definition: ServiceDefinition<C, Tables, Opened>,
  options: StartOptions,
): Promise<RunningService<C, Tables, Opened>>
export function startService(
  definition: AnyServiceDefinition,
  options: StartOptions,
): Promise<AnyRunningService>
export async function startService<C extends Catalogue, Tables, Opened extends object>(
  definition: AnyServiceDefinition & { readonly resources: Resources<Opened> },
  options: StartOptions,
): Promise<RunningService<C, Tables, Opened>> {
  const { context, parts, projections, stop } = await startParts(definition, options)
  return {
    ...typedServerContext<C, Tables, Opened>(definition.resources, context),
    get ready() {
      return context.ready
    },
    servers: parts.servers,
    deadLetters: parts.deadLetters,
    replay: parts.replay,
    projections,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

interface StartedParts {
  isReady: boolean
  readonly servers: RunningServer[]
  deadLetters: DeadLetters
  replay: AnyRunningService['replay']
}

/** A service that listens to nothing puts nothing aside. */
const noDeadLetters: DeadLetters = {
  list: async () => [],
  redrive: () => Promise.reject(listensToNothing()),
  discard: () => Promise.reject(listensToNothing()),
}

const noReplay: AnyRunningService['replay'] = () =>
  Promise.reject(
    new MillraceError('replay-refused', 'KAFKA_ENABLED is false: there is no past to be read'),
  )

function listensToNothing(): MillraceError {
  return new MillraceError(
    'dead-letter-unknown',
    'the service listens to nothing: it has no handlers, or KAFKA_ENABLED is false',
  )
}

/**
 * The stack stops in the reverse order of the starts: servers, consumer, relay, Kafka, store,
 * resources.
 */
async function startParts(definition: AnyServiceDefinition, options: StartOptions) {
  const { name } = definition
  const parts: StartedParts = {
    isReady: false,
    servers: [],
    deadLetters: noDeadLetters,
    replay: noReplay,
  }
  await using starting = new AsyncDisposableStack()
  const stopping = new AbortController()
  const kafka = options.kafka ?? readKafkaConfig(options.env ?? process.env, name)
  const tools = await openTools(starting, definition, { ...options, kafka, stopping })
  const { env, log, store, resources, observation } = tools

  const transport = kafka.enabled ? starting.use(options.transport ?? openKafka(kafka)) : null
  starting.defer(() => observation.stop())
  const relay = transport === null ? null : new Relay({ ...tools, transport })
  if (transport !== null && relay !== null) {
    observation.connect({ transport, isReady: () => relay.cluster.kind === 'met' })
    relay.start()
    starting.defer(() => relay.stop())
  }
  const scheduler = new Scheduler(tools)
  scheduler.start()
  starting.defer(() => scheduler.stop())
  if (definition.processes.length > 0) {
    const retention = new ProcessRetention(tools)
    retention.start()
    starting.defer(() => retention.stop())
  }

  const projections = new Projections({ ...tools, transport, projections: definition.projections })
  starting.defer(() => projections.stop())
  await projections.start()
  if (transport !== null) parts.replay = openReplay({ ...tools, transport }, stopping.signal)
  const { replay } = parts
  const consumer = await listen(definition, { ...tools, transport, parts: { replay, projections } })
  if (consumer !== null) {
    parts.deadLetters = consumer.deadLetters
    starting.defer(() => consumer.stop())
  }

  const slowest = () => observation.times.slowest()
  const seen = { transport, relay, consumer, slowest, projections }
  const health = new HealthReader({ ...tools, ...seen })
  const ownTransactions = new OwnTransactions(tools)
  starting.defer(() => ownTransactions.stop())
  const context: UntypedServerContext = {
    name,
    port: options.port ?? 0,
    env,
    log,
    read: store.read,
    resources,
    get ready() {
      return parts.isReady
    },
    transaction: openTransactions(tools),
    publishInto: ownTransactions.publishInto,
    health: () => health.read(),
    storeUnknown: () => health.storeUnknown(),
    metrics: observation.metrics.registry,
    metricsPage: () => observation.page(() => health.read()),
  }
  for (const start of definition.servers) {
    const server = await start(context)
    parts.servers.push(server)
    starting.defer(() => server.stop())
  }
  parts.isReady = true
  observation.announce({ health: context.health, servers: parts.servers })
  log.info({ urls: parts.servers.flatMap(({ urls = [] }) => urls) }, 'started')

  const started = starting.move()
  let stopped: Promise<void> | undefined
  const stop = () => {
    parts.isReady = false
    stopping.abort()
    stopped ??= started.disposeAsync()
    return stopped
  }
  return { context, parts, projections, stop }
}

interface ListenOptions extends Omit<ConsumerOptions, 'transport'> {
  readonly transport: Transport | null
}

/** Commands are heard as events are: also by a service that has projections alone. */
async function listen(
  { handlers, projections }: AnyServiceDefinition,
  { transport, ...options }: ListenOptions,
): Promise<RunningConsumer | null> {
  if (transport === null || handlers.size + projections.length === 0) return null
  return startConsumer({ ...options, transport })
}

interface ToolOptions extends StartOptions {
  readonly kafka: KafkaConfig
  readonly stopping: AbortController
}

/** What the parts of a service work with: its resources, its store, and the kit's view of both. */
async function openTools(
  starting: AsyncDisposableStack,
  definition: AnyServiceDefinition,
  options: ToolOptions,
) {
  const { directory, env = process.env, clock = systemClock, random = Math.random } = options
  const { kafka, stopping } = options
  const { name, migrations } = definition
  const lines = options.log?.child({ service: name }) ?? openLog({ name, level: kafka.logLevel })
  const log = new ServiceLog(lines, secretsOf(env))
  const { signal } = stopping
  const resources = await definition.resources.open({ env, log, clock, signal })
  starting.defer(() => disposeResources(resources))
  const opening = { env, directory, owner: name, migrations, clock }
  const store = starting.use(options.store ?? (await openStore(opening)))
  const instances =
    options.instances ?? (await openInstances({ store, env, owner: name, clock, random, log }))
  starting.defer(() => instances.stop())
  const carrier = readOutboxCarrier(env, store.dialect)
  const limit = kafka.enabled ? outboxUnsentMax : outboxUnsentMaxDisabled
  const unsentMax = carrier === 'debezium' ? Number.POSITIVE_INFINITY : limit
  const outbox = new Outbox(unsentMax, store.dialect)
  await outbox.recount(store.read)
  const effects = new Effects({ store, group: definition.group, clock })
  const { observer: given } = options
  // Without Kafka there is nobody to tell.
  const announces = kafka.enabled && (options.announces ?? true)
  const watched = { service: definition, clock, random, env, log, announces }
  const observation = new Observation({
    ...watched,
    ...(given === undefined ? {} : { observer: given }),
  })
  const { observer } = observation
  return {
    ...watched,
    store,
    instances,
    carrier,
    outbox,
    effects,
    resources,
    observer,
    observation,
  }
}
