import type { Catalogue, EventName } from './catalogue/catalogue.ts'
import { MillraceError } from './errors.ts'
import type { Handler, HandlerOptions } from './handler.ts'
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
  readonly catalogue: Catalogue
  readonly migrations: Migrations<KitTables>
  /** By event name; an event has at most one handler in a service. */
  readonly handlers: ReadonlyMap<string, UntypedHandler>
  readonly servers: readonly UntypedStartServer[]
}

/**
 * A service as a value: its catalogue, its tables, what it does on which event, and what it
 * serves. Nothing runs until a host starts it (`startService`). `on` and `serve` return a new
 * definition and change nothing.
 */
export interface ServiceDefinition<C extends Catalogue, Tables> extends AnyServiceDefinition {
  readonly catalogue: C
  /**
   * What to do when an event is heard. The handler runs at least once for each event; what it
   * changes through `db` and says through `publish` happens exactly once (P3).
   */
  on<Name extends EventName<C>>(
    name: Name,
    handler: Handler<C, Name, Tables>,
    options?: HandlerOptions,
  ): ServiceDefinition<C, Tables>
  /** Starts with the service and stops before it: an HTTP server, or anything with a stop. */
  serve(start: StartServer<C, Tables>): ServiceDefinition<C, Tables>
}

export interface ServiceOptions<C extends Catalogue, Tables> {
  readonly catalogue: C
  /** Default: the service has no tables of its own. */
  readonly tables?: TableDefinitions<Tables>
  /** Its consumer group. Default: the service's name. */
  readonly group?: string
}

/** Declares a service. Throws `definition-invalid` where the name would be no file's name. */
export function service<C extends Catalogue, Tables = object>(
  name: string,
  { catalogue, tables = { migrations: {} }, group = name }: ServiceOptions<C, Tables>,
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
  return defined({ name, group, catalogue, migrations, handlers: new Map(), servers: [] })
}

type Parts<C extends Catalogue> = AnyServiceDefinition & { readonly catalogue: C }

function defined<C extends Catalogue, Tables>(parts: Parts<C>): ServiceDefinition<C, Tables> {
  return {
    ...parts,
    on(eventName, handler, options = {}) {
      if (!parts.catalogue.routes.has(eventName)) {
        throw new MillraceError(
          'definition-invalid',
          `service "${parts.name}" handles "${eventName}", which catalogue ` +
            `"${parts.catalogue.name}" does not have`,
        )
      }
      if (parts.handlers.has(eventName)) {
        throw new MillraceError(
          'definition-invalid',
          `service "${parts.name}" has two handlers for "${eventName}"; make them one`,
        )
      }
      const handle = untypedHandler<C, typeof eventName, Tables>(eventName, handler, options)
      return defined({ ...parts, handlers: new Map([...parts.handlers, [eventName, handle]]) })
    },
    serve(start) {
      return defined({ ...parts, servers: [...parts.servers, untypedServer(start)] })
    },
  }
}
