import { readJsonObject, takeApart } from './json-value.ts'
import type { WireFormat } from './wire-format.ts'

const encoder = new TextEncoder()

/**
 * DreamScape's `BaseEvent` as JSON: the envelope, the fields beside it, and the payload. What is
 * null or empty is left out.
 */
export const baseEventJson: WireFormat = {
  name: 'base-event-json',
  encode({ envelope, fields, payload }) {
    const { correlationId, causationId, metadata, source, ...rest } = envelope
    return encoder.encode(
      JSON.stringify({
        ...rest,
        ...(source === null ? {} : { source }),
        ...(correlationId === null ? {} : { correlationId }),
        ...(causationId === null ? {} : { causationId }),
        ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
        ...fields,
        payload,
      }),
    )
  },
  decode(value) {
    return takeApart(readJsonObject(value))
  },
}
