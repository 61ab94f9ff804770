import type { Envelope } from '../envelope.ts'

/**
 * How an event stands on the wire, in a record's value. The ids also travel as record headers
 * (`event-headers.ts`), so that a format need not carry what its readers do not want.
 */
export interface WireFormat {
  readonly name: string
  /** The record's value. Throws where the payload cannot be written (a BigInt in JSON). */
  encode(event: FormattedEvent): Uint8Array
  /** Throws an error that says what is wrong with the bytes. The schemas are checked afterwards. */
  decode(value: Uint8Array): DecodedValue
}

export interface FormattedEvent {
  readonly envelope: Envelope
  readonly fields: Readonly<Record<string, unknown>>
  readonly payload: unknown
}

/** What a format found in a record's value. What it does not carry comes from the headers. */
export interface DecodedValue {
  readonly envelope: Partial<Envelope>
  readonly fields: Readonly<Record<string, unknown>>
  readonly payload: unknown
}
