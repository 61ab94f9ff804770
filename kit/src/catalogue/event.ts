import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Upcast } from './upcast.ts'

/** What an event says itself: the fields that stand at its top level, and its payload. */
export type Body<Fields, Payload> = Fields & { readonly payload: Payload }

/**
 * One kind of event, as `event()` returns it. `Fields` and `Payload` are what the schemas put
 * out. The same schemas check what a publisher passes in and what a consumer reads, so a schema
 * must accept its own output.
 */
export interface EventDefinition<Fields extends object = object, Payload = unknown> {
  /** Version of the schema, written into every envelope. */
  readonly version: string
  /**
   * How records of older versions are read: by the version that each upcast reads, the oldest
   * first, each into the next one. Default: what does not fit the schemas is rejected.
   */
  readonly upcasts?: Readonly<Record<string, Upcast>>
  /** The topic that carries it. Default: the event's own name. Several events may share one. */
  readonly topic?: string
  /** Topics of one stream share keying, partition count and parking (P4). Default: the topic. */
  readonly stream?: string
  /**
   * Of its topic, when it is made. Choose for years: a key moves when partitions are added, and its
   * events from before and after are not in order. Topics of a stream have as many. Default: the
   * catalogue's.
   */
  readonly partitions?: number
  /** Of its topic, in Kafka's words (`retention.ms`), when it is made. Default: the broker's. */
  readonly configs?: Readonly<Record<string, string>>
  /**
   * The record's key. Default: no key, so each record is a key of its own. It is declared as a
   * method so that a catalogue of many events is still a catalogue of events in general.
   */
  key?(body: Body<NoInfer<Fields>, NoInfer<Payload>>): string | number | null
  /** Top-level fields beside the payload. Default: none. */
  readonly fields?: StandardSchemaV1<unknown, Fields>
  readonly payload: StandardSchemaV1<unknown, Payload>
}

/** Declares one event of a catalogue. Its types follow from its schemas. */
export function event<Payload, Fields extends object = object>(
  definition: EventDefinition<Fields, Payload>,
): EventDefinition<Fields, Payload> {
  return definition
}
