import type { AggregateEvent, AnyAggregate, Catalogue, ProcessManager } from '@millrace/kit'
import { type GivenEvents, specifyAggregate } from './specify-aggregate.ts'
import { type GivenHistory, type SpecifyOptions, specifyProcess } from './specify-process.ts'

/**
 * The `given` of an aggregate or a process manager, for tests that read as sentences:
 *
 * - `given(events).when(command).then(events)`, or `.thenRejected(reason)`;
 * - `given(heard).when(heard).then({ published, timers, … })`, or `.thenIgnored()`.
 *
 * Pure and synchronous: no store, no broker, no time that passes. It fails with an
 * `AssertionError`, in any test runner.
 */
export function specify<State, Command, Event extends AggregateEvent, Rejection>(
  aggregate: AnyAggregate<State, Command, Event, Rejection>,
  options?: SpecifyOptions,
): GivenEvents<State, Command, Event, Rejection>
export function specify<C extends Catalogue, State, Timer extends string>(
  manager: ProcessManager<C, State, Timer>,
  options?: SpecifyOptions,
): GivenHistory<C, State, Timer>
export function specify<
  C extends Catalogue,
  State,
  Timer extends string,
  Command,
  Event extends AggregateEvent,
  Rejection,
>(
  subject: AnyAggregate<State, Command, Event, Rejection> | ProcessManager<C, State, Timer>,
  options: SpecifyOptions = {},
): GivenEvents<State, Command, Event, Rejection> | GivenHistory<C, State, Timer> {
  return subject.kind === 'aggregate'
    ? specifyAggregate(subject, options.id ?? '1')
    : specifyProcess(subject, options)
}
