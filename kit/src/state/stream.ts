import type { Kysely } from 'kysely'
import { MillraceError } from '../errors.ts'
import { aggregateEventsLoadedMax, streamReadMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { type ExecutorSource, viewTables } from '../store/table-view.ts'
import type { AggregateEventRow } from '../store/tables/aggregates.ts'
import type { AggregateEvent, AnyAggregate, LoadedAggregate } from './aggregate.ts'
import { writePlainJson } from './plain-json.ts'

/**
 * The rows of aggregates.
 *
 * G1. The versions of a stream are 1, 2, 3, … without a gap: an event is appended only behind
 *     the one before it, and none is ever changed or removed.
 */

type Db = Kysely<KitTables>

/** Whose rows: an aggregate and an id. */
export interface StreamPlace<State, Command, Event extends AggregateEvent, Rejection> {
  readonly aggregate: AnyAggregate<State, Command, Event, Rejection>
  readonly id: string
}

/** An event as it stands in its stream. */
export interface StoredEvent<Event> {
  readonly eventId: string
  readonly version: number
  readonly event: Event
  readonly correlationId: string
  readonly causationId: string | null
  readonly recordedAtMs: number
}

/**
 * Reads a stream forward: at most `limit` events (and 1,000) behind `afterVersion`, those of an
 * older schema made new. `read` is that of a running service, or the `db` of a transaction.
 */
export async function readStream<State, Command, Event extends AggregateEvent, Rejection>(
  read: ExecutorSource,
  { aggregate, id }: StreamPlace<State, Command, Event, Rejection>,
  options: { readonly afterVersion?: number; readonly limit?: number } = {},
): Promise<readonly StoredEvent<Event>[]> {
  const { afterVersion = 0, limit = streamReadMax } = options
  const rows = await viewTables<KitTables>(read)
    .selectFrom('millrace_aggregate_events')
    .selectAll()
    .where('aggregate', '=', aggregate.name)
    .where('aggregate_id', '=', id)
    .where('version', '>', afterVersion)
    .orderBy('version')
    .limit(Math.min(limit, streamReadMax))
    .execute()
  return rows.map((row) => ({
    eventId: row.event_id,
    version: row.version,
    event: eventOf(aggregate, row),
    correlationId: row.correlation_id,
    causationId: row.causation_id,
    recordedAtMs: row.recorded_at_ms,
  }))
}

/**
 * An aggregate as it is now, by its events since its snapshot. `read` is that of a running
 * service, or the `db` of a transaction. Throws `aggregate-too-long`, `aggregate-unreadable`.
 */
export async function readAggregate<State, Command, Event extends AggregateEvent, Rejection>(
  read: ExecutorSource,
  place: StreamPlace<State, Command, Event, Rejection>,
): Promise<LoadedAggregate<State>> {
  const { aggregate, id } = place
  let { state, version } = await snapshotOf(viewTables<KitTables>(read), place)
  for (let loaded = 0; ; ) {
    const events = await readStream(read, place, { afterVersion: version })
    for (const stored of events) {
      if (stored.version !== version + 1) {
        throw unreadable(place, `its event ${version + 1} is missing`) // G1
      }
      state = aggregate.evolve(state, stored.event)
      version = stored.version
    }
    loaded += events.length
    if (events.length < streamReadMax) return { state, version }
    if (loaded >= aggregateEventsLoadedMax) {
      throw new MillraceError(
        'aggregate-too-long',
        `aggregate "${aggregate.name}" ${id} has more than ${aggregateEventsLoadedMax} events ` +
          'since its last snapshot; give it `snapshot: { every: 100 }`, or split its life',
      )
    }
  }
}

/** Appends behind all that is there. False where somebody else has just done so (G1). */
export async function appendEvents(db: Db, rows: readonly AggregateEventRow[]): Promise<boolean> {
  const [first, ...others] = rows
  if (first === undefined) return true
  // Who writes the same first version waits here for the other's commit, then gets nothing; who
  // got the first version gets the others, because nobody can pass it.
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('millrace_aggregate_events')
    .values(first)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  if (numInsertedOrUpdatedRows !== 1n) return false
  for (let from = 0; from < others.length; from += insertRowsMax) {
    const part = others.slice(from, from + insertRowsMax)
    await db.insertInto('millrace_aggregate_events').values(part).execute()
  }
  return true
}

/** Kysely compiles each statement anew; more rows make it slower than several statements. */
const insertRowsMax = 50

export async function saveSnapshot<State, Command, Event extends AggregateEvent, Rejection>(
  db: Db,
  { aggregate, id }: StreamPlace<State, Command, Event, Rejection>,
  { state, version, nowMs }: LoadedAggregate<State> & { readonly nowMs: number },
): Promise<void> {
  if (aggregate.snapshot === null) return
  const row = {
    version,
    state_version: aggregate.snapshot.version,
    state: writePlainJson(`the state of aggregate "${aggregate.name}" ${id}`, state),
    taken_at_ms: nowMs,
  }
  await db
    .insertInto('millrace_snapshots')
    .values({ aggregate: aggregate.name, aggregate_id: id, ...row })
    .onConflict((conflict) => conflict.columns(['aggregate', 'aggregate_id']).doUpdateSet(row))
    .execute()
}

/** The state to begin with: the snapshot's, where there is one of today's shape. */
async function snapshotOf<State, Command, Event extends AggregateEvent, Rejection>(
  db: Db,
  { aggregate, id }: StreamPlace<State, Command, Event, Rejection>,
): Promise<LoadedAggregate<State>> {
  const beginning = { state: aggregate.initial(id), version: 0 }
  if (aggregate.snapshot === null) return beginning
  const row = await db
    .selectFrom('millrace_snapshots')
    .select(['version', 'state'])
    .where('aggregate', '=', aggregate.name)
    .where('aggregate_id', '=', id)
    .where('state_version', '=', aggregate.snapshot.version)
    .executeTakeFirst()
  if (row === undefined) return beginning
  // It was a State of this very version when it was written.
  const state: State = JSON.parse(row.state)
  return { state, version: row.version }
}

function eventOf<State, Command, Event extends AggregateEvent, Rejection>(
  aggregate: AnyAggregate<State, Command, Event, Rejection>,
  { event_type: type, schema_version: schemaVersion, body }: AggregateEventRow,
): Event {
  if (schemaVersion !== aggregate.schemaVersion) {
    const stored: unknown = JSON.parse(body)
    return aggregate.upcast({ type, schemaVersion, body: stored })
  }
  // It was an Event of this very schema version when it was written.
  const event: Event = JSON.parse(body)
  return event
}

function unreadable<State, Command, Event extends AggregateEvent, Rejection>(
  { aggregate, id }: StreamPlace<State, Command, Event, Rejection>,
  problem: string,
): MillraceError {
  return new MillraceError(
    'aggregate-unreadable',
    `aggregate "${aggregate.name}" ${id}: ${problem}`,
  )
}
