import type {
  BodyOf,
  Catalogue,
  EventName,
  Random,
  ServiceDefinition,
  TransactionContext,
} from '@millrace/kit'
import type { Kysely } from 'kysely'
import type { Dependency } from './dependency.ts'
import type { PutAside } from './service-state.ts'

/** What a scenario is made with, and what it may look at. Each schedule has a world of its own. */
export interface World {
  /** Chance that is the schedule's. */
  readonly random: Random
  /** Virtual time, in milliseconds since the epoch. */
  nowMs(): number
  /**
   * Something that a service calls outside of itself. The schedule lets it be slow, fail before or
   * after `act`, be down, or never answer. `act` is what the other side does when it is reached.
   */
  dependency<Parameters extends readonly unknown[], Result>(
    name: string,
    act: (...parameters: Parameters) => Promise<Result> | Result,
  ): Dependency<Parameters, Result>
  /** Something that happens once, at a moment that the schedule chooses. */
  act(name: string, run: () => Promise<unknown>): Act
  /** An act: one of the services says an event in a transaction, as for a request. */
  says<C extends Catalogue, Tables, Opened extends object, Name extends EventName<C>>(
    service: ServiceDefinition<C, Tables, Opened>,
    name: Name,
    body: BodyOf<C, Name>,
  ): Act
  /** An act: an event of a service that is not simulated comes to its topic. */
  arrives<C extends Catalogue, Name extends EventName<C>>(
    catalogue: C,
    name: Name,
    body: BodyOf<C, Name>,
  ): Act
  /**
   * A transaction of a service, as one of its requests runs it. Waits for an instance that is up;
   * never settles where that dies meanwhile, as a caller would not know either.
   */
  transaction<C extends Catalogue, Tables, Opened extends object, Result>(
    service: ServiceDefinition<C, Tables, Opened>,
    work: (context: TransactionContext<C, Tables>) => Promise<Result>,
  ): Promise<Result>
  /** What is committed in a service's database. Reading it is no step of the schedule. */
  read<C extends Catalogue, Tables, Opened extends object>(
    service: ServiceDefinition<C, Tables, Opened>,
  ): Kysely<Tables>
  /** The dead letters of a service. */
  deadLetters(service: { readonly name: string }): readonly PutAside[]
}

export interface Act {
  readonly name: string
  run(): Promise<unknown>
}
