/* oxlint-disable unicorn/no-thenable -- it reads as a sentence, and refuses an await */
import assert from 'node:assert/strict'
import type { AggregateEvent, AnyAggregate, AnySaid } from '@millrace/kit'
import { writePlainJson } from '@millrace/kit/inside'
import { refuseAwait } from './refuse-await.ts'

/** What has happened to the aggregate so far: `[]` for one that is new. */
export type GivenEvents<State, Command, Event, Rejection> = (events: readonly Event[]) => {
  /** What is asked of it. Throws what `decide` throws. */
  when(command: Command): DecidedCommand<State, Event, Rejection>
}

/** What came of a command. Each `then` throws an `AssertionError` that shows the difference. */
export interface DecidedCommand<State, Event, Rejection> {
  /** It was accepted, with exactly these events. */
  then(events: readonly Event[]): DecidedCommand<State, Event, Rejection>
  thenRejected(reason: Rejection): DecidedCommand<State, Event, Rejection>
  /** The state that the events leave. */
  thenState(state: State): DecidedCommand<State, Event, Rejection>
  /** What the catalogue's readers are told. */
  thenPublished(said: readonly AnySaid[]): DecidedCommand<State, Event, Rejection>
}

/** An aggregate in tests, without a store: `given(events).when(command).then(events)`. */
export function specifyAggregate<State, Command, Event extends AggregateEvent, Rejection>(
  aggregate: AnyAggregate<State, Command, Event, Rejection>,
  id: string,
): GivenEvents<State, Command, Event, Rejection> {
  return (history) => {
    let [state, version] = [aggregate.initial(id), 0]
    for (const event of history) {
      state = aggregate.evolve(state, event)
      version += 1
    }
    const before = { state, version }
    return { when: (command) => decided({ aggregate, id }, before, command) }
  }
}

interface Subject<State, Command, Event extends AggregateEvent, Rejection> {
  readonly aggregate: AnyAggregate<State, Command, Event, Rejection>
  readonly id: string
}

function decided<State, Command, Event extends AggregateEvent, Rejection>(
  { aggregate, id }: Subject<State, Command, Event, Rejection>,
  before: { readonly state: State; readonly version: number },
  command: Command,
): DecidedCommand<State, Event, Rejection> {
  const decision = aggregate.decide(before.state, command)
  const events = decision.kind === 'accepted' ? decision.events : []
  let { state, version } = before
  const published: AnySaid[] = []
  for (const event of events) {
    writePlainJson(`event "${event.type}" of aggregate "${aggregate.name}"`, event)
    state = aggregate.evolve(state, event)
    version += 1
    published.push(...aggregate.publish(event, { id, version, state }))
  }
  const outcome: DecidedCommand<State, Event, Rejection> = {
    // biome-ignore lint/suspicious/noThenProperty: a sentence, and it refuses an await.
    then(expected) {
      refuseAwait(expected)
      assert.deepEqual(decision, { kind: 'accepted', events: expected })
      return outcome
    },
    thenRejected(reason) {
      assert.deepEqual(decision, { kind: 'rejected', reason })
      return outcome
    },
    thenState(expected) {
      assert.deepEqual(state, expected)
      return outcome
    },
    thenPublished(expected) {
      assert.deepEqual(published, expected)
      return outcome
    },
  }
  return outcome
}
