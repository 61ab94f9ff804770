import type { Transaction } from 'kysely'
import type { Clock, Random } from '../clock.ts'
import type { Correlation } from '../correlation.ts'
import { MillraceError } from '../errors.ts'
import { newEventId } from '../event-id.ts'
import { aggregateEventsDecidedMax, aggregateIdLengthMax, decisionAttemptsMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { AggregateEventRow } from '../store/tables/aggregates.ts'
import type { UntypedPublish } from '../untyped.ts'
import type {
  AggregateEvent,
  AggregateOutcome,
  AnyAggregate,
  LoadedAggregate,
  OpenAggregate,
} from './aggregate.ts'
import { writePlainJson } from './plain-json.ts'
import { appendEvents, readAggregate, type StreamPlace, saveSnapshot } from './stream.ts'

/** As `OpenAggregates`, where the catalogue is not known to the compiler. */
export type UntypedOpenAggregates = <State, Command, Event extends AggregateEvent, Rejection>(
  aggregate: AnyAggregate<State, Command, Event, Rejection>,
  id: string | number,
) => OpenAggregate<State, Command, Event, Rejection>

export interface OpenAggregateTools {
  readonly db: Transaction<KitTables>
  readonly publish: UntypedPublish
  readonly correlation: Correlation
  readonly clock: Clock
  readonly random: Random
}

/** The `aggregate` of one transaction's context. */
export function openAggregates(tools: OpenAggregateTools): UntypedOpenAggregates {
  return (aggregate, givenId) => {
    const place = { aggregate, id: checkedId(aggregate.name, givenId) }
    return {
      load: () => readAggregate(tools.db, place),
      handle: (command, options = {}) =>
        handleCommand(tools, place, { command, expectedVersion: options.expectedVersion }),
    }
  }
}

interface Asked<Command> {
  readonly command: Command
  readonly expectedVersion: number | undefined
}

/**
 * Reads, decides, appends; on a conflict again, with what the other has left. A conflict is no
 * error of the database, so that the transaction goes on.
 */
async function handleCommand<State, Command, Event extends AggregateEvent, Rejection>(
  tools: OpenAggregateTools,
  place: StreamPlace<State, Command, Event, Rejection>,
  { command, expectedVersion }: Asked<Command>,
): Promise<AggregateOutcome<State, Event, Rejection>> {
  for (let attempt = 1; ; attempt += 1) {
    const loaded = await readAggregate(tools.db, place)
    const { state, version } = loaded
    if (expectedVersion !== undefined && expectedVersion !== version) {
      return { kind: 'conflict', version }
    }
    if (attempt > decisionAttemptsMax) return { kind: 'conflict', version }
    const decision = place.aggregate.decide(state, command)
    if (decision.kind === 'rejected') return { ...decision, version }
    const { events } = decision
    if (events.length === 0) return { kind: 'accepted', state, version, events }
    const rows = rowsOf(tools, place, { events, version })
    if (await appendEvents(tools.db, rows)) return accept(tools, place, { loaded, rows })
  }
}

/** The state after the events as they were written, so that a later reading finds the same. */
async function accept<State, Command, Event extends AggregateEvent, Rejection>(
  tools: OpenAggregateTools,
  place: StreamPlace<State, Command, Event, Rejection>,
  { loaded, rows }: Appended<State>,
): Promise<AggregateOutcome<State, Event, Rejection>> {
  const { aggregate, id } = place
  let { state } = loaded
  const events: Event[] = []
  for (const { body, version } of rows) {
    // It was an Event a moment ago.
    const event: Event = JSON.parse(body)
    state = aggregate.evolve(state, event)
    events.push(event)
    for (const { name, body: said, metadata } of aggregate.publish(event, { id, version, state })) {
      await tools.publish(name, said, metadata === undefined ? {} : { metadata })
    }
  }
  const version = loaded.version + rows.length
  if (passesSnapshot(aggregate.snapshot?.every, loaded.version, version)) {
    await saveSnapshot(tools.db, place, { state, version, nowMs: tools.clock.nowMs() })
  }
  return { kind: 'accepted', state, version, events }
}

interface Appended<State> {
  readonly loaded: LoadedAggregate<State>
  readonly rows: readonly AggregateEventRow[]
}

function passesSnapshot(every: number | undefined, before: number, after: number): boolean {
  return every !== undefined && Math.floor(after / every) > Math.floor(before / every)
}

interface Decided<Event> {
  readonly events: readonly Event[]
  readonly version: number
}

function rowsOf<State, Command, Event extends AggregateEvent, Rejection>(
  { correlation, clock, random }: OpenAggregateTools,
  { aggregate, id }: StreamPlace<State, Command, Event, Rejection>,
  { events, version }: Decided<Event>,
): AggregateEventRow[] {
  if (events.length > aggregateEventsDecidedMax) {
    throw new MillraceError(
      'state-invalid',
      `aggregate "${aggregate.name}" ${id} decided on ${events.length} events at once, and the ` +
        `limit is ${aggregateEventsDecidedMax}; make it several commands`,
    )
  }
  const nowMs = clock.nowMs()
  return events.map((event, index) => ({
    aggregate: aggregate.name,
    aggregate_id: id,
    version: version + index + 1,
    event_id: newEventId(nowMs, random),
    event_type: event.type,
    schema_version: aggregate.schemaVersion,
    body: writePlainJson(`event "${event.type}" of aggregate "${aggregate.name}" ${id}`, event),
    correlation_id: correlation.correlationId,
    causation_id: correlation.causationId,
    recorded_at_ms: nowMs,
  }))
}

function checkedId(name: string, given: string | number): string {
  const id = String(given)
  if (id.length > 0 && id.length <= aggregateIdLengthMax) return id
  throw new MillraceError(
    'state-invalid',
    `an id of aggregate "${name}" has ${id.length} characters; it may have 1 to ` +
      `${aggregateIdLengthMax}`,
  )
}
