import type { Catalogue } from '../catalogue/catalogue.ts'
import { MillraceError } from '../errors.ts'
import { aggregateNameLengthMax } from '../limits.ts'
import type { AnySaid, Said } from './said.ts'

/** What an aggregate remembers: plain JSON, told apart by `type`. */
export interface AggregateEvent {
  readonly type: string
}

/** What an aggregate says to a command: what happened, or why nothing did. */
export type AggregateDecision<Event, Rejection> =
  /** No events at all: the command is accepted, and there was nothing to do. */
  | { readonly kind: 'accepted'; readonly events: readonly Event[] }
  | { readonly kind: 'rejected'; readonly reason: Rejection }

/** Where a stored event stands: for the mapping to what is published. */
export interface AggregatePlace<State> {
  readonly id: string
  /** The event's own number in its stream: 1 for the first. */
  readonly version: number
  /** The aggregate as the event left it. */
  readonly state: State
}

/** Three plain functions; each is pure and synchronous. */
export interface AggregateRules<State, Command, Event extends AggregateEvent, Rejection> {
  /** An aggregate that nothing has happened to. */
  initial(id: string): State
  /** What a command does to an aggregate in this state. */
  decide(state: State, command: Command): AggregateDecision<Event, Rejection>
  /** The state after an event, now and whenever the stream is read again. */
  evolve(state: State, event: Event): State
}

export interface AggregateOptions<
  C extends Catalogue,
  State,
  Command,
  Event extends AggregateEvent,
  Rejection,
> extends AggregateRules<State, Command, Event, Rejection> {
  /** Of the service: what `publish` may say. */
  readonly catalogue: C
  /** The events of the catalogue that a stored one is told as. Default: none. */
  publish?(event: Event, place: AggregatePlace<State>): readonly Said<C>[]
  /** Written beside each event. Default: 1. */
  readonly schemaVersion?: number
  /**
   * Makes an event of an older schema one of today. Without it an event of another schema
   * version is an error (`aggregate-unreadable`).
   */
  upcast?(stored: StoredBody): Event
  /** Default: none; a stream is then read from its first event each time. */
  readonly snapshot?: SnapshotOptions
}

export interface SnapshotOptions {
  /** A snapshot is taken by the command that passes a multiple of it. */
  readonly every: number
  /**
   * Of the shape of `State` and of what `evolve` makes of it. Change it with them: a snapshot
   * of another version is not used. Default: 1.
   */
  readonly version?: number
}

/** An event of an older schema, as it was written. */
export interface StoredBody {
  readonly type: string
  readonly schemaVersion: number
  readonly body: unknown
}

/** An aggregate as a value, which changes nothing: see `OpenAggregate` for one that is opened. */
export interface AnyAggregate<State, Command, Event extends AggregateEvent, Rejection>
  extends AggregateRules<State, Command, Event, Rejection> {
  readonly kind: 'aggregate'
  readonly name: string
  readonly schemaVersion: number
  readonly snapshot: Required<SnapshotOptions> | null
  publish(event: Event, place: AggregatePlace<State>): readonly AnySaid[]
  upcast(stored: StoredBody): Event
}

/** As `AnyAggregate`; what it publishes is known to be of one catalogue. */
export interface Aggregate<
  C extends Catalogue,
  State,
  Command,
  Event extends AggregateEvent,
  Rejection,
> extends AnyAggregate<State, Command, Event, Rejection> {
  publish(event: Event, place: AggregatePlace<State>): readonly Said<C>[]
}

export interface LoadedAggregate<State> {
  readonly state: State
  /** The number of its last event; 0 where nothing has happened to it. */
  readonly version: number
}

export interface DecideOptions {
  /**
   * The command is for this version only, like an `If-Match` header's; each other is a
   * `conflict`. 0 says that the aggregate must be new. Without it a conflict decides anew.
   */
  readonly expectedVersion?: number
}

export type AggregateOutcome<State, Event, Rejection> =
  /** The events are stored, and what they are told as is said, when the transaction commits. */
  | {
      readonly kind: 'accepted'
      readonly state: State
      readonly version: number
      readonly events: readonly Event[]
    }
  /** Nothing is stored. What else the transaction did is its caller's to keep or to throw away. */
  | { readonly kind: 'rejected'; readonly reason: Rejection; readonly version: number }
  /** It is at another version than was expected, or others were quicker each time. */
  | { readonly kind: 'conflict'; readonly version: number }

/** One aggregate inside a transaction. */
export interface OpenAggregate<State, Command, Event, Rejection> {
  /** Reads what the transaction sees. Throws `aggregate-too-long`, `aggregate-unreadable`. */
  load(): Promise<LoadedAggregate<State>>
  /**
   * Decides, appends and publishes. Others may write to the same aggregate at the same time:
   * versions have no gaps and no doubles, because who comes second decides anew on what the
   * first left, at most `decisionAttemptsMax` times. Throws what `decide` and `evolve` throw,
   * and `event-invalid` where what is published does not fit its schema.
   */
  handle(
    command: Command,
    options?: DecideOptions,
  ): Promise<AggregateOutcome<State, Event, Rejection>>
}

/** Opens an aggregate in the transaction: the `aggregate` of a handler's or server's context. */
export type OpenAggregates<C extends Catalogue> = <
  State,
  Command,
  Event extends AggregateEvent,
  Rejection,
>(
  aggregate: Aggregate<C, State, Command, Event, Rejection>,
  id: string | number,
) => OpenAggregate<State, Command, Event, Rejection>

/**
 * Declares an aggregate whose events are kept in the service's own database. `name` is that of
 * its streams: it stays for as long as the data does. Throws `definition-invalid`.
 */
export function defineAggregate<
  C extends Catalogue,
  State,
  Command,
  Event extends AggregateEvent,
  Rejection,
>(
  name: string,
  options: AggregateOptions<C, State, Command, Event, Rejection>,
): Aggregate<C, State, Command, Event, Rejection> {
  const { schemaVersion = 1, snapshot } = options
  const problem = problemOf(name, schemaVersion, snapshot)
  if (problem !== null) {
    throw new MillraceError('definition-invalid', `aggregate "${name}": ${problem}`)
  }
  return {
    kind: 'aggregate',
    name,
    schemaVersion,
    snapshot: snapshot === undefined ? null : { version: 1, ...snapshot },
    initial: (id) => options.initial(id),
    decide: (state, command) => options.decide(state, command),
    evolve: (state, event) => options.evolve(state, event),
    publish: (event, place) => options.publish?.(event, place) ?? [],
    upcast(stored) {
      if (options.upcast !== undefined) return options.upcast(stored)
      throw new MillraceError(
        'aggregate-unreadable',
        `aggregate "${name}" has an event "${stored.type}" of schema version ` +
          `${stored.schemaVersion}, and is at ${schemaVersion}; give it an upcast`,
      )
    },
  }
}

function problemOf(
  name: string,
  schemaVersion: number,
  snapshot: SnapshotOptions | undefined,
): string | null {
  if (name.length === 0 || name.length > aggregateNameLengthMax) {
    return `its name must have 1 to ${aggregateNameLengthMax} characters`
  }
  if (!Number.isSafeInteger(schemaVersion)) return 'schemaVersion must be a whole number'
  if (snapshot !== undefined && !(Number.isSafeInteger(snapshot.every) && snapshot.every > 0)) {
    return `snapshot.every is ${snapshot.every}, and must be a whole number above 0`
  }
  return null
}
