import type { Catalogue, EventName } from './catalogue/catalogue.ts'
import { MillraceError } from './errors.ts'
import type { Handler, HandlerOptions } from './handler.ts'
import { noResources, type OpenResources, Resources } from './resources.ts'
import type { StartServer } from './server.ts'
import type { KitTables } from './store/kit-tables.ts'
import type { Migrations, TableDefinitions } from './store/table-definitions.ts'
import { viewTables } from './store/table-view.ts'
import {
  type UntypedHandler,
  type UntypedStartServer,
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
      checkHandled(parts, eventName)
      const handle = untypedHandler<C, typeof eventName, Tables, Opened>(
        { eventName, options, resources },
        handler,
      )
      return defined({ ...parts, handlers: new Map([...handlers, [eventName, handle]]) })
    },
    serve(start) {
      return defined({ ...parts, servers: [...servers, untypedServer(resources, start)] })
    },
  }
}

/** An event has one handler in a service, and the catalogue has the event. */
function checkHandled({ name, catalogue, handlers }: AnyServiceDefinition, event: string): void {
  if (!catalogue.routes.has(event)) {
    throw new MillraceError(
      'definition-invalid',
      `service "${name}" handles "${event}", which catalogue "${catalogue.name}" does not have`,
    )
  }
  if (handlers.has(event)) {
    throw new MillraceError(
      'definition-invalid',
      `service "${name}" has two handlers for "${event}"; make them one`,
    )
  }
}

function notFirst(name: string): MillraceError {
  return new MillraceError(
    'definition-invalid',
    `service "${name}" opens resources after another part, which would not have them; put one ` +
      '.with before all others',
  )
}
