import type { AnyEvent, Catalogue, EventName, EventOf } from '../catalogue/catalogue.ts'
import { MillraceError } from '../errors.ts'
import type { HandlerOptions } from '../handler.ts'
import { aggregateNameLengthMax } from '../limits.ts'
import type { AnySaid, Said } from './said.ts'

/**
 * A process manager follows one business process over the events of several services: it hears
 * an event, changes its state, and says what is to happen next. It is pure; the kit keeps a row
 * for each process, locks it in the handler's transaction, and does what the decision says.
 */

/**
 * - `running`: from its first event on.
 * - `compensating`: it failed, and what it had done is being undone, in reverse.
 * - `ended`: it hears nothing more, except through `onLate`.
 */
export type ProcessStatus = 'running' | 'compensating' | 'ended'

/** What a decision may know beside the state and the event. */
export interface ProcessView {
  readonly id: string
  readonly status: ProcessStatus
  /** The service's clock when the decision is made. */
  readonly nowMs: number
  /** The steps that were done and not undone, in the order of their being done. */
  readonly steps: readonly string[]
}

/** A step that was done, with the event that undoes it. */
export interface ProcessStep<C extends Catalogue> {
  /** Unique in its process: a step that is told twice is one step. */
  readonly step: string
  /** Published when the process compensates; null for what needs no undoing. */
  readonly undo: Said<C> | null
  /**
   * The event by which the undoing is known to be done: only then is the step before it undone.
   * The process must hear it (`on`). Default: nobody waits.
   */
  readonly undoneBy?: EventName<C>
}

/** A timer of one process. Setting one that is set replaces it. */
export type ProcessTimer<Timer extends string> = {
  readonly name: Timer
  /** Given to `onTimer`: plain JSON. */
  readonly data?: unknown
} & ({ readonly afterMs: number } | { readonly at: Date })

/** What changes with any decision. */
export interface ProcessChange<C extends Catalogue, State, Timer extends string> {
  /** Plain JSON. Default: as it was. */
  readonly state?: State
  readonly publish?: readonly Said<C>[]
  readonly timers?: readonly ProcessTimer<Timer>[]
  readonly cancel?: readonly Timer[]
  /** Steps that are done by now. While the process compensates, they are undone at once. */
  readonly done?: readonly ProcessStep<C>[]
}

export type ProcessDecision<C extends Catalogue, State, Timer extends string> =
  /** Not for this process, or nothing to do. A process that was not there does not begin. */
  | { readonly kind: 'ignore' }
  | ({ readonly kind: 'continue' } & ProcessChange<C, State, Timer>)
  /**
   * Undoes the steps that are done, the last first, each when the one after it is known to be
   * undone; then publishes `afterwards` and ends. With no steps to wait for, at once. In a
   * process that compensates already only its change counts.
   */
  | ({
      readonly kind: 'compensate'
      /** Kept with the process, for people. */
      readonly reason: string
      readonly afterwards?: readonly Said<C>[]
    } & ProcessChange<C, State, Timer>)
  /** Its timers are cancelled. */
  | ({ readonly kind: 'end' } & ProcessChange<C, State, Timer>)

/** What an event still does to a process that has ended. */
export interface LateDecision<C extends Catalogue, State> {
  /** Default: as it was. */
  readonly state?: State
  readonly publish?: readonly Said<C>[]
}

export interface FiredTimer<Timer extends string> {
  readonly name: Timer
  readonly data: unknown
  /** When it was due; it fires then or later, never earlier. */
  readonly dueAtMs: number
}

export interface ProcessOptions<C extends Catalogue, State, Timer extends string> {
  readonly catalogue: C
  /** A process that has heard nothing yet. */
  readonly initial: (id: string) => State
  /** The names of its timers. Default: none. */
  readonly timers?: readonly Timer[]
  /** Written beside the state. Change it with the shape of `State`. Default: 1. */
  readonly stateVersion?: number
  /**
   * Makes a state of an older version one of today. Without it a process of another version is
   * an error (`process-unreadable`), so its events are parked and lose nothing.
   */
  readonly upgrade?: (state: unknown, stateVersion: number) => State
  /** For all its events and timers: retries, time limit. */
  readonly handling?: ProcessHandlingOptions
}

/** A process needs its order, so an event that it cannot handle is parked, never skipped. */
export type ProcessHandlingOptions = Pick<HandlerOptions, 'retry' | 'timeoutMs'>

/**
 * A process manager as a value; `on`, `onLate` and `onTimer` return a new one. Give it to
 * `service(…).process(…)`.
 */
export interface ProcessManager<C extends Catalogue, State, Timer extends string>
  extends AnyProcessManager {
  readonly catalogue: C
  readState(text: string, stateVersion: number): State
  /**
   * What to do when an event is heard. `id` says whose it is; null: nobody's. Any of its events
   * may be the first that a process hears, because Kafka orders no two topics: the state is then
   * `initial`, and `ignore` begins nothing.
   */
  on<Name extends EventName<C>>(
    name: Name,
    id: (event: EventOf<C, Name>) => string | number | null,
    decide: (
      state: State,
      event: EventOf<C, Name>,
      process: ProcessView,
    ) => ProcessDecision<C, State, Timer>,
  ): ProcessManager<C, State, Timer>
  /**
   * What to do when an event of `on` comes after its process has ended: a payment that succeeds
   * after the booking was given up must be refunded. The process stays ended; its state may
   * remember what was said. Default: nothing.
   */
  onLate<Name extends EventName<C>>(
    name: Name,
    decide: (state: State, event: EventOf<C, Name>, process: ProcessView) => LateDecision<C, State>,
  ): ProcessManager<C, State, Timer>
  /** What to do when a timer fires. One that was cancelled or replaced meanwhile never does. */
  onTimer(
    name: Timer,
    decide: (
      state: State,
      timer: FiredTimer<Timer>,
      process: ProcessView,
    ) => ProcessDecision<C, State, Timer>,
  ): ProcessManager<C, State, Timer>
}

/** A process manager whose events and state the compiler does not know. */
export interface AnyProcessManager {
  readonly kind: 'process'
  readonly name: string
  readonly catalogue: Catalogue
  readonly stateVersion: number
  readonly handling: ProcessHandlingOptions
  readonly timerNames: readonly string[]
  /** By event name. */
  readonly events: ReadonlyMap<string, ProcessEventRule>
  readonly late: ReadonlyMap<string, ProcessLateRule>
  readonly timers: ReadonlyMap<string, ProcessTimerRule>
  initial(id: string): unknown
  /** A stored state, made one of today where it is older. Throws `process-unreadable`. */
  readState(text: string, stateVersion: number): unknown
}

// Methods, so that rules for one event and one state are rules for events and states in general.

export interface ProcessEventRule {
  id(event: AnyEvent): string | number | null
  decide(state: unknown, event: AnyEvent, process: ProcessView): AnyProcessDecision
}

export interface ProcessLateRule {
  decide(state: unknown, event: AnyEvent, process: ProcessView): AnyLateDecision
}

export interface AnyLateDecision {
  readonly state?: unknown
  readonly publish?: readonly AnySaid[]
}

export interface ProcessTimerRule {
  decide(state: unknown, timer: FiredTimer<string>, process: ProcessView): AnyProcessDecision
}

export interface AnyProcessStep {
  readonly step: string
  readonly undo: AnySaid | null
  readonly undoneBy?: string
}

export interface AnyProcessChange {
  readonly state?: unknown
  readonly publish?: readonly AnySaid[]
  readonly timers?: readonly ProcessTimer<string>[]
  readonly cancel?: readonly string[]
  readonly done?: readonly AnyProcessStep[]
}

export type AnyProcessDecision =
  | { readonly kind: 'ignore' }
  | ({ readonly kind: 'continue' } & AnyProcessChange)
  | ({
      readonly kind: 'compensate'
      readonly reason: string
      readonly afterwards?: readonly AnySaid[]
    } & AnyProcessChange)
  | ({ readonly kind: 'end' } & AnyProcessChange)

/**
 * Declares a process manager. `name` is that of its rows and timers: it stays for as long as
 * its processes run. Throws `definition-invalid`.
 */
export function defineProcess<C extends Catalogue, State, const Timer extends string = never>(
  name: string,
  options: ProcessOptions<C, State, Timer>,
): ProcessManager<C, State, Timer> {
  const { catalogue, stateVersion = 1, handling = {}, timers: timerNames = [] } = options
  if (name.length === 0 || name.length > aggregateNameLengthMax) {
    throw invalid(name, `its name must have 1 to ${aggregateNameLengthMax} characters`)
  }
  return defined({
    kind: 'process',
    name,
    catalogue,
    stateVersion,
    handling,
    timerNames,
    events: new Map(),
    late: new Map(),
    timers: new Map(),
    initial: (id) => options.initial(id),
    readState(text, version) {
      // It was a State of this very version when it was written.
      const stored: State = JSON.parse(text)
      if (version === stateVersion) return stored
      if (options.upgrade !== undefined) return options.upgrade(stored, version)
      throw new MillraceError(
        'process-unreadable',
        `a process "${name}" has a state of version ${version}, and the program is at ` +
          `${stateVersion}; give it an upgrade`,
      )
    },
  })
}

interface Parts<C extends Catalogue, State> extends AnyProcessManager {
  readonly catalogue: C
  readState(text: string, stateVersion: number): State
}

function defined<C extends Catalogue, State, Timer extends string>(
  parts: Parts<C, State>,
): ProcessManager<C, State, Timer> {
  return {
    ...parts,
    on(eventName, id, decide) {
      if (parts.events.has(eventName)) {
        throw invalid(parts.name, `"${eventName}" is decided twice; make it one`)
      }
      const rule: ProcessEventRule = { id, decide }
      return defined({ ...parts, events: new Map([...parts.events, [eventName, rule]]) })
    },
    onLate(eventName, decide) {
      if (!parts.events.has(eventName)) {
        throw invalid(parts.name, `"${eventName}" can only be late where "on" hears it`)
      }
      const rule: ProcessLateRule = { decide }
      return defined({ ...parts, late: new Map([...parts.late, [eventName, rule]]) })
    },
    onTimer(timerName, decide) {
      if (!parts.timerNames.includes(timerName)) {
        throw invalid(parts.name, `timer "${timerName}" is not among its timers`)
      }
      const rule: ProcessTimerRule = { decide }
      return defined({ ...parts, timers: new Map([...parts.timers, [timerName, rule]]) })
    },
  }
}

function invalid(name: string, problem: string): MillraceError {
  return new MillraceError('definition-invalid', `process "${name}": ${problem}`)
}
