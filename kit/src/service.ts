import type { BatchHandler, BatchOptions } from './batch-handler.ts'
import type { Catalogue, EventName } from './catalogue/catalogue.ts'
import { MillraceError } from './errors.ts'
import type { Handler, HandlerOptions } from './handler.ts'
import { checkOptions } from './handler-options.ts'
import type { AnyProjection } from './projection/projection.ts'
import { noResources, type OpenResources, Resources } from './resources.ts'
import type { StartServer } from './server.ts'
import { hearEvent } from './state/hear-process.ts'
import type { AnyProcessManager, ProcessManager } from './state/process-manager.ts'
import type { KitTables } from './store/kit-tables.ts'
import type { Migrations, TableDefinitions } from './store/table-definitions.ts'
import { viewTables } from './store/table-view.ts'
import {
  type UntypedHandler,
  type UntypedStartServer,
  untypedBatchHandler,
  untypedHandler,
  untypedServer,
} from './untyped.ts'

/** A service whose tables and events the compiler does not know: what the kit works with. */
export interface AnyServiceDefinition {
  readonly name: string
  /** Its consumer group. */
  readonly group: string
  /** The `source` of the events that it says. */
  readonly source: string
  readonly catalogue: Catalogue
  readonly migrations: Migrations<KitTables>
  /** By event name; an event has at most one handler in a service. */
  readonly handlers: ReadonlyMap<string, UntypedHandler>
  /** Its process managers; their events are among the handlers. */
  readonly processes: readonly AnyProcessManager[]
  /** Tables that follow from events. */
  readonly projections: readonly AnyProjection[]
  readonly servers: readonly UntypedStartServer[]
  /** What it works with beside its store; opened first, disposed of last. */
  readonly resources: Resources<object>
}

/**
 * A service as a value: its catalogue, its tables, what it works with, what it does on which
 * event, and what it serves. Nothing runs until a host starts it (`startService`). Each method
 * returns a new definition and changes nothing.
 */
export interface ServiceDefinition<C extends Catalogue, Tables, Opened extends object = object>
  extends AnyServiceDefinition {
  readonly catalogue: C
  readonly resources: Resources<Opened>
  /**
   * What the service works with beside its store, for the handlers and servers that follow: they
   * have it as `context.resources`. At most once, and first.
   */
  with<Opens extends object>(open: OpenResources<Opens>): ServiceDefinition<C, Tables, Opens>
  /**
   * What to do when an event is heard. The handler runs at least once for each event; what it
   * changes through `db` and says through `publish` happens exactly once (P3).
   */
  on<Name extends EventName<C>>(
    name: Name,
    handler: Handler<C, Name, Tables, Opened>,
    options?: HandlerOptions,
  ): ServiceDefinition<C, Tables, Opened>
  /** As `on`, for several events at once, in one transaction: see `BatchHandler`. */
  onBatch<Name extends EventName<C>>(
    name: Name,
    handler: BatchHandler<C, Name, Tables, Opened>,
    options: BatchOptions,
  ): ServiceDefinition<C, Tables, Opened>
  /**
   * Runs a process manager: its events are handled by it, and its timers come on a topic of the
   * service's own. An event has one handler in a service, a process's `on` included. Throws
   * `definition-invalid`.
   */
  process<State, Timer extends string>(
    manager: ProcessManager<C, State, Timer>,
  ): ServiceDefinition<C, Tables, Opened>
  /**
   * Keeps tables that follow from events: see `projection`. They are read under their plain names;
   * list them among the service's tables for the compiler. Throws `definition-invalid`.
   */
  projection(projection: AnyProjection): ServiceDefinition<C, Tables, Opened>
  /** Starts with the service and stops before it: an HTTP server, or anything with a stop. */
  serve(start: StartServer<C, Tables, Opened>): ServiceDefinition<C, Tables, Opened>
}

export interface ServiceOptions<C extends Catalogue, Tables> {
  readonly catalogue: C
  /** Default: the service has no tables of its own. */
  readonly tables?: TableDefinitions<Tables>
  /** Its consumer group. Default: the service's name. */
  readonly group?: string
  /**
   * The `source` of the events that it says, where readers know it by another name than the one
   * under which it runs. Default: the service's name.
   */
  readonly source?: string
}

/** Declares a service. Throws `definition-invalid` where the name would be no file's name. */
export function service<C extends Catalogue, Tables = object>(
  name: string,
  {
    catalogue,
    tables = { migrations: {} },
    group = name,
    source = name,
  }: ServiceOptions<C, Tables>,
): ServiceDefinition<C, Tables> {
  if (!/^[a-zA-Z0-9_-][a-zA-Z0-9._-]{0,99}$/.test(name)) {
    throw new MillraceError(
      'definition-invalid',
      `"${name}" is no name for a service: 1 to 100 letters, digits, ".", "_" or "-"`,
    )
  }
  const migrations = Object.fromEntries(
    Object.entries(tables.migrations).map(([step, migrate]) => [
      step,
      async (db: Parameters<Migrations<KitTables>[string]>[0]) => migrate(viewTables<Tables>(db)),
    ]),
  )
  return defined({
    name,
    group,
    source,
    catalogue,
    migrations,
    resources: noResources,
    handlers: new Map(),
    processes: [],
    projections: [],
    servers: [],
  })
}

interface Parts<C extends Catalogue, Opened extends object> extends AnyServiceDefinition {
  readonly catalogue: C
  readonly resources: Resources<Opened>
}

function defined<C extends Catalogue, Tables, Opened extends object>(
  parts: Parts<C, Opened>,
): ServiceDefinition<C, Tables, Opened> {
  const { handlers, servers, resources } = parts
  return {
    ...parts,
    with(open) {
      const isFirst = handlers.size === 0 && servers.length === 0
      if (resources !== noResources || !isFirst) throw notFirst(parts.name)
      return defined({ ...parts, resources: new Resources(open) })
    },
    on(eventName, handler, options = {}) {
      const place = { eventName, options, resources }
      const handle = untypedHandler<C, typeof eventName, Tables, Opened>(place, handler)
      return defined({ ...parts, handlers: withHandlers(parts, [handle]) })
    },
    onBatch(eventName, handler, { sizeMax, waitMsMax = 0, ...options }) {
      const place = { eventName, options, resources, batch: { sizeMax, waitMsMax } }
      const handle = untypedBatchHandler<C, typeof eventName, Tables, Opened>(place, handler)
      return defined({ ...parts, handlers: withHandlers(parts, [handle]) })
    },
    process(manager) {
      checkProcess(parts, manager)
      const heard = [...manager.events.keys()].map(
        (eventName): UntypedHandler => ({
          eventName,
          // A process that is over would begin anew.
          options: { ...manager.handling, replay: 'forbid' },
          handle: (event, context) => hearEvent({ manager, service: parts.name }, event, context),
        }),
      )
      const processes = [...parts.processes, manager]
      return defined({ ...parts, handlers: withHandlers(parts, heard), processes })
    },
    projection(projection) {
      checkProjection(parts, projection)
      return defined({ ...parts, projections: [...parts.projections, projection] })
    },
    serve(start) {
      return defined({ ...parts, servers: [...servers, untypedServer(resources, start)] })
    },
  }
}

/** An event has one handler in a service, the catalogue has the event, and its options hold. */
function withHandlers(parts: AnyServiceDefinition, added: readonly UntypedHandler[]) {
  const { name, catalogue } = parts
  const handlers = new Map(parts.handlers)
  for (const handler of added) {
    const { eventName } = handler
    const problem = !catalogue.routes.has(eventName)
      ? `handles "${eventName}", which catalogue "${catalogue.name}" does not have`
      : handlers.has(eventName)
        ? `has two handlers for "${eventName}"; make them one`
        : null
    if (problem !== null) {
      throw new MillraceError('definition-invalid', `service "${name}" ${problem}`)
    }
    checkOptions(`service "${name}" on "${eventName}"`, handler)
    handlers.set(eventName, handler)
  }
  return handlers
}

function checkProcess(
  { name, catalogue, processes }: AnyServiceDefinition,
  manager: AnyProcessManager,
) {
  const problem =
    manager.catalogue !== catalogue
      ? `is of catalogue "${manager.catalogue.name}", and the service of "${catalogue.name}"`
      : processes.some((other) => other.name === manager.name)
        ? 'is there already'
        : manager.timerNames
            .filter((timer) => !manager.timers.has(timer))
            .map((timer) => `has a timer "${timer}" and no onTimer for it`)[0]
  if (problem === undefined) return
  throw new MillraceError(
    'definition-invalid',
    `process "${manager.name}" in service "${name}" ${problem}`,
  )
}

function checkProjection(
  { name, catalogue, projections }: AnyServiceDefinition,
  projection: AnyProjection,
) {
  const taken = projections.flatMap((one) => [one.name, ...one.tables])
  const twice = [projection.name, ...projection.tables].find((one) => taken.includes(one))
  const problem =
    projection.catalogue !== catalogue
      ? `is of catalogue "${projection.catalogue.name}", and the service of "${catalogue.name}"`
      : twice === undefined
        ? undefined
        : `has "${twice}", which another projection has`
  if (problem === undefined) return
  throw new MillraceError(
    'definition-invalid',
    `projection "${projection.name}" in service "${name}" ${problem}`,
  )
}

function notFirst(name: string): MillraceError {
  return new MillraceError(
    'definition-invalid',
    `service "${name}" opens resources after another part, which would not have them; put one ` +
      '.with before all others',
  )
}
