import { readJsonObject, takeApart } from './json-value.ts'
import type { WireFormat } from './wire-format.ts'

const encoder = new TextEncoder()

/**
 * The todo seed's JSON: `eventType`, the fields, `timestamp` and `payload`, and nothing more.
 * Ids, correlation and trace travel in the record's headers.
 */
export const flatJson: WireFormat = {
  name: 'flat-json',
  encode({ envelope: { eventType, timestamp }, fields, payload }) {
    return encoder.encode(JSON.stringify({ eventType, ...fields, timestamp, payload }))
  },
  decode(value) {
    const { envelope, fields, payload } = takeApart(readJsonObject(value))
    const { eventType, timestamp } = envelope
    return {
      envelope: {
        ...(eventType === undefined ? {} : { eventType }),
        ...(timestamp === undefined ? {} : { timestamp }),
      },
      fields,
      payload,
    }
  },
}
