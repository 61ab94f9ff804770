// A projection as a value: tables that follow from events, and from nothing else.

import type { Kysely, Transaction } from 'kysely'
import type { AnyEvent, Catalogue, EventName, EventOf } from '../catalogue/catalogue.ts'
import { MillraceError } from '../errors.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { viewTables, viewTransaction } from '../store/table-view.ts'

/**
 * What an event changes in the projection's tables. It runs once for each event, in the order of
 * its partition, and may use nothing but `db`: it will run again over all events when the
 * projection is rebuilt.
 */
export type ProjectionHandler<C extends Catalogue, Name extends EventName<C>, Tables> = (
  event: EventOf<C, Name>,
  db: Transaction<Tables>,
) => Promise<void>

export interface ProjectionOptions<C extends Catalogue, Tables> {
  readonly catalogue: C
  /** Change it with the tables or the handlers: at the next start it is rebuilt. */
  readonly version: number
  /** The tables that it owns, all that `create` makes. */
  readonly tables: readonly (keyof Tables & string)[]
  /** Makes the tables, by Kysely's schema builder; under the names of `tables`. */
  readonly create: (db: Kysely<Tables>) => Promise<void>
}

/** What `service(…).projection` takes. */
export interface Projection<C extends Catalogue, Tables> extends AnyProjection {
  readonly catalogue: C
  /** Throws `definition-invalid` for a second handler of an event. */
  on<Name extends EventName<C>>(
    name: Name,
    handler: ProjectionHandler<C, Name, Tables>,
  ): Projection<C, Tables>
}

/** A projection whose events and tables the compiler does not know. */
export interface AnyProjection {
  readonly name: string
  readonly catalogue: Catalogue
  readonly version: number
  readonly tables: readonly string[]
  create(db: Kysely<KitTables>): Promise<void>
  /** By event name. */
  readonly handlers: ReadonlyMap<string, UntypedProjectionHandler>
}

export interface UntypedProjectionHandler {
  /** A method, so that a handler of one event is a handler of events in general. */
  apply(event: AnyEvent, db: Transaction<KitTables>): Promise<void>
}

/** Declares a projection. Throws `definition-invalid` where its name or a table's is none. */
export function projection<C extends Catalogue, Tables>(
  name: string,
  { catalogue, version, tables, create }: ProjectionOptions<C, Tables>,
): Projection<C, Tables> {
  const wrong = [name, ...tables].find((one) => !/^[a-z][a-z0-9_-]{0,47}$/.test(one))
  if (wrong !== undefined) {
    throw new MillraceError(
      'definition-invalid',
      `"${wrong}" is no name for a projection or its table: 1 to 48 of a-z, 0-9, "_" and "-"`,
    )
  }
  if (tables.length === 0) {
    throw new MillraceError('definition-invalid', `projection "${name}" names no tables`)
  }
  const made = {
    name,
    catalogue,
    version,
    tables,
    create: (db: Kysely<KitTables>) => create(viewTables<Tables>(db)),
  }
  return withHandlers<C, Tables>(made, new Map())
}

type Made<C extends Catalogue> = Omit<AnyProjection, 'handlers'> & { readonly catalogue: C }

function withHandlers<C extends Catalogue, Tables>(
  made: Made<C>,
  handlers: AnyProjection['handlers'],
): Projection<C, Tables> {
  return {
    ...made,
    handlers,
    on(eventName, handler) {
      if (handlers.has(eventName)) {
        throw new MillraceError(
          'definition-invalid',
          `projection "${made.name}" has two handlers for "${eventName}"; make them one`,
        )
      }
      const typed: { apply(event: AnyEvent, db: Transaction<Tables>): Promise<void> } = {
        apply: handler,
      }
      const untyped: UntypedProjectionHandler = {
        apply: (event, db) => typed.apply(event, viewTransaction<Tables>(db)),
      }
      return withHandlers<C, Tables>(made, new Map([...handlers, [eventName, untyped]]))
    },
  }
}
