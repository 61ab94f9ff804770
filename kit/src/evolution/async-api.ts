// A system's events as an AsyncAPI 3.0 document, which the tools of that standard read.
// https://www.asyncapi.com/docs/reference/specification/v3.0.0

import type { Catalogue, EventRoute } from '../catalogue/catalogue.ts'
import { headerNames } from '../catalogue/event-headers.ts'
import type { AnyServiceDefinition } from '../service.ts'
import { type JsonSchemaObject, jsonSchemaOf } from './json-schema.ts'

/** Plain data, to be written as JSON. */
export type AsyncApi = Readonly<Record<string, unknown>>

export interface AsyncApiOptions {
  readonly title: string
  /** Of the document. */
  readonly version: string
  readonly description?: string
  /** Its services: each handler becomes an operation. Default: none. */
  readonly services?: readonly AnyServiceDefinition[]
  /** `host:port` of Kafka, by the name of the environment. Default: none. */
  readonly servers?: Readonly<Record<string, string>>
}

/** A channel for each topic, a message for each event, an operation for each handler. */
export function asyncApiOf(catalogue: Catalogue, options: AsyncApiOptions): AsyncApi {
  const { title, version, description, services = [], servers = {} } = options
  const routes = [...catalogue.routes.values()]
  return {
    asyncapi: '3.0.0',
    info: { title, version, ...(description === undefined ? {} : { description }) },
    defaultContentType: 'application/json',
    ...(Object.keys(servers).length === 0 ? {} : { servers: serversOf(servers) }),
    channels: Object.fromEntries(
      catalogue.topics.map(({ topic, partitions }) => [
        topic,
        {
          address: topic,
          messages: Object.fromEntries(
            routes
              .filter((route) => route.topic === topic)
              .map(({ eventName }) => [eventName, { $ref: pointer('messages', eventName) }]),
          ),
          bindings: { kafka: { topic, partitions, bindingVersion: '0.5.0' } },
        },
      ]),
    ),
    operations: Object.fromEntries(services.flatMap(operationsOf)),
    components: {
      messages: Object.fromEntries(routes.map((route) => [route.eventName, messageOf(route)])),
    },
  }
}

function serversOf(servers: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(servers).map(([name, host]) => [name, { host, protocol: 'kafka' }]),
  )
}

function operationsOf({ name, group, catalogue, handlers }: AnyServiceDefinition) {
  return [...handlers.keys()].flatMap((eventName) => {
    const route = catalogue.routes.get(eventName)
    if (route === undefined) return []
    const channel = `#/channels/${escapePointer(route.topic)}`
    const operation = {
      action: 'receive',
      title: `${name} handles ${eventName}`,
      channel: { $ref: channel },
      messages: [{ $ref: `${channel}/messages/${escapePointer(eventName)}` }],
      bindings: {
        kafka: { groupId: { type: 'string', const: group }, bindingVersion: '0.5.0' },
      },
    }
    return [[`${name}.${eventName}`, operation] as const]
  })
}

function messageOf(route: EventRoute): JsonSchemaObject {
  const { eventName, definition } = route
  return {
    name: eventName,
    title: `${eventName} ${definition.version}`,
    contentType: 'application/json',
    correlationId: { location: `$message.header#/${headerNames.correlationId}` },
    headers: headersSchema,
    payload: valueSchema(route),
    ...(definition.key === undefined
      ? {}
      : { bindings: { kafka: { key: { type: 'string' }, bindingVersion: '0.5.0' } } }),
  }
}

const text = { type: 'string' }

const headersSchema = {
  type: 'object',
  properties: Object.fromEntries(Object.values(headerNames).map((name) => [name, text])),
}

/** The record's value: what the wire formats have in common, the fields, and the payload. */
function valueSchema({ eventName, definition }: EventRoute): JsonSchemaObject {
  const fields = definition.fields === undefined ? null : jsonSchemaOf(definition.fields, 'output')
  const { properties = {}, required = [] } = fields ?? {}
  return {
    type: 'object',
    properties: {
      eventType: { type: 'string', const: eventName },
      timestamp: { type: 'string', format: 'date-time' },
      version: text,
      ...Object(properties),
      payload: jsonSchemaOf(definition.payload, 'output') ?? {},
    },
    required: [...(Array.isArray(required) ? required : []), 'payload'],
  }
}

function pointer(section: string, name: string): string {
  return `#/components/${section}/${escapePointer(name)}`
}

/** RFC 6901. */
function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
