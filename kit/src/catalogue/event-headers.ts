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
  const found = new Map(headers.map(({ name, value }) => [name, decoder.decode(value)]))
  const packed = unpack(found.get(packedName))
  return Object.fromEntries(
    properties.flatMap((property) => {
      const value = found.get(headerNames[property]) ?? packed[property]
      return typeof value !== 'string' || value === '' ? [] : [[property, value]]
    }),
  )
}

/** Any program may have written it; what is no object of ours says nothing. */
function unpack(json: string | undefined): Readonly<Record<string, unknown>> {
  if (json === undefined) return {}
  try {
    const parsed: unknown = JSON.parse(json)
    return isObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}
