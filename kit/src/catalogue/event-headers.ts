import type { Header } from '../transport/transport.ts'
import { isObject } from './json-value.ts'

/** The record headers that the kit writes and reads. `id` is where Debezium's router puts it too. */
export const headerNames = {
  id: 'id',
  type: 'type',
  source: 'source',
  version: 'version',
  correlationId: 'correlation-id',
  causationId: 'causation-id',
  /** W3C trace context, passed on as it came. */
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const

export type EventHeaders = { readonly [Name in keyof typeof headerNames]?: string }

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const properties: readonly (keyof EventHeaders)[] = [
  'id',
  'type',
  'source',
  'version',
  'correlationId',
  'causationId',
  'traceparent',
  'tracestate',
]

/** The headers that have a value, in a fixed order. */
export function writeHeaders(headers: EventHeaders): Header[] {
  return properties.flatMap((property) => {
    const value = headers[property]
    return value === undefined
      ? []
      : [{ name: headerNames[property], value: encoder.encode(value) }]
  })
}

/**
 * In which a record that Debezium carried has the outbox row's column of headers: its router puts a
 * column into one header, whatever is in it.
 */
const packedName = 'headers'

/** What of the kit's headers a record carries. Of a name that comes twice, the last counts. */
export function readHeaders(headers: readonly Header[]): EventHeaders {
  const read: Writable = {}
  for (const { name, value } of headers) {
    const property = propertiesByName.get(name)
    if (property !== undefined) read[property] = decoder.decode(value)
  }
  const packed = headers.findLast(({ name }) => name === packedName)
  const others = packed === undefined ? {} : unpack(decoder.decode(packed.value))
  for (const property of properties) {
    const value = read[property] ?? others[property]
    if (typeof value === 'string' && value !== '') read[property] = value
    else if (property in read) delete read[property]
  }
  return read
}

type Writable = { -readonly [Name in keyof EventHeaders]: EventHeaders[Name] }

const propertiesByName = new Map<string, keyof EventHeaders>(
  properties.map((property) => [headerNames[property], property]),
)

/** Any program may have written it; what is no object of ours says nothing. */
function unpack(json: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(json)
    return isObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}
