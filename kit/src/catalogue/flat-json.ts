import { readEnvelope, readJsonObject } from './json-value.ts'
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
    const { payload, ...rest } = readJsonObject(value)
    const { eventType, timestamp } = readEnvelope(rest)
    return {
      envelope: {
        ...(eventType === undefined ? {} : { eventType }),
        ...(timestamp === undefined ? {} : { timestamp }),
      },
      fields: rest,
      payload,
    }
  },
}
