import type { BodyOf, Catalogue, EventName } from '../catalogue/catalogue.ts'

/** An event that a pure function wants said, as data: what `publish` takes, in one object. */
export interface SaidEvent<Name extends string, Body> {
  readonly name: Name
  readonly body: Body
  /** Goes into the envelope as it is. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** Any event of a catalogue, by its name with its body; a wrong pair is a compile error. */
export type Said<C extends Catalogue> = {
  readonly [Name in EventName<C>]: SaidEvent<Name, BodyOf<C, Name>>
}[EventName<C>]

/** An event of a catalogue that the compiler does not know; `publish` checks it. */
export type AnySaid = SaidEvent<string, unknown>
