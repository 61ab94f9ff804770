/**
 * What the kit knows of every event, whatever its format on the wire. It is DreamScape's
 * `BaseEvent` without the payload, under the same names.
 */
export interface Envelope<Type extends string = string> {
  /** The event's identity: a UUID for events of the kit; see `recordId` for records of others. */
  readonly eventId: string
  readonly eventType: Type
  /** When it happened, RFC 3339, as its publisher wrote it. */
  readonly timestamp: string
  readonly version: string
  /** The service that said it, or null where the record does not tell. */
  readonly source: string | null
  readonly correlationId: string | null
  /** The id of the event or command that caused it. */
  readonly causationId: string | null
  readonly metadata: Readonly<Record<string, unknown>>
}
