import type { Header } from '../transport/transport.ts'

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

/** What of the kit's headers a record carries. Of a name that comes twice, the last counts. */
export function readHeaders(headers: readonly Header[]): EventHeaders {
  const found = new Map(headers.map(({ name, value }) => [name, decoder.decode(value)]))
  return Object.fromEntries(
    properties.flatMap((property) => {
      const value = found.get(headerNames[property])
      return value === undefined || value === '' ? [] : [[property, value]]
    }),
  )
}
