import type { Envelope } from '../envelope.ts'
import { MillraceError } from '../errors.ts'
import type { TopicRequest } from '../transport/transport.ts'
import { baseEventJson } from './base-event-json.ts'
import type { EventDefinition } from './event.ts'
import { topicRequestProblems, topicRequests } from './topic-requests.ts'
import type { WireFormat } from './wire-format.ts'

export type EventMap = Readonly<Record<string, EventDefinition>>

/** All events of a system: what may be said, by which name, on which topic. */
export interface Catalogue<Events extends EventMap = EventMap> {
  readonly name: string
  readonly events: Events
  readonly format: WireFormat
  /** Each event with its defaults filled in, by name. */
  readonly routes: ReadonlyMap<string, EventRoute>
  /** Every topic of the catalogue, once. */
  readonly topics: readonly TopicRequest[]
}

/** Where an event goes. */
export interface EventRoute {
  readonly eventName: string
  readonly topic: string
  readonly stream: string
  readonly definition: EventDefinition
}

export interface CatalogueOptions {
  /** Default: DreamScape's `BaseEvent` as JSON. */
  readonly format?: WireFormat
  /** Of each topic that is made now; an existing topic keeps its own. Default: 4. */
  readonly partitions?: number
  /** Goes before an event's name to make its topic, where the event names none. Default: nothing. */
  readonly topicPrefix?: string
}

export type EventName<C extends Catalogue> = keyof C['events'] & string

/** What a publisher says: the fields and the payload. */
export type BodyOf<C extends Catalogue, Name extends EventName<C>> =
  C['events'][Name] extends EventDefinition<infer Fields, infer Payload>
    ? Fields & { readonly payload: Payload }
    : never

/** What a handler gets: the envelope, the fields and the payload. */
export type EventOf<C extends Catalogue, Name extends EventName<C>> = Envelope<Name> &
  BodyOf<C, Name>

/** An event whose name is not known to the compiler. */
export type AnyEvent = Envelope & { readonly payload: unknown }

/**
 * Declares the events of a system. Throws `definition-invalid` where Kafka would refuse a topic
 * name, or where topics of one event contradict each other.
 */
export function defineCatalogue<const Events extends EventMap>(
  name: string,
  events: Events,
  { format = baseEventJson, partitions = 4, topicPrefix = '' }: CatalogueOptions = {},
): Catalogue<Events> {
  const routes = new Map(
    Object.entries(events).map(([eventName, definition]) => {
      const topic = definition.topic ?? topicPrefix + eventName
      const stream = definition.stream ?? topic
      return [eventName, { eventName, topic, stream, definition }]
    }),
  )
  const problems = [
    ...topicProblems(routes),
    ...upcastProblems(routes),
    ...topicRequestProblems(routes, partitions),
  ]
  if (problems.length > 0) {
    throw new MillraceError('definition-invalid', `catalogue "${name}": ${problems.join('; ')}`)
  }
  return { name, events, format, routes, topics: topicRequests(routes, partitions) }
}

/** The events that a topic carries. */
export function eventsOn({ routes }: Catalogue, topic: string): readonly EventRoute[] {
  let known = routesByTopic.get(routes)
  if (known === undefined) {
    known = Map.groupBy(routes.values(), (route) => route.topic)
    routesByTopic.set(routes, known)
  }
  return known.get(topic) ?? []
}

/** Every record asks. */
const routesByTopic = new WeakMap<Catalogue['routes'], ReadonlyMap<string, readonly EventRoute[]>>()

function topicProblems(routes: ReadonlyMap<string, EventRoute>): string[] {
  const problems: string[] = []
  const streams = new Map<string, string>()
  const spellings = new Map<string, string>()
  for (const { eventName, topic, stream } of routes.values()) {
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic) || /^\.{1,2}$/.test(topic)) {
      problems.push(
        `event "${eventName}" goes to topic "${topic}", which Kafka refuses ` +
          '(1 to 249 letters, digits, ".", "_" or "-")',
      )
    }
    const other = streams.get(topic) ?? stream
    if (other !== stream) {
      problems.push(`topic "${topic}" is in two streams, "${other}" and "${stream}"`)
    }
    streams.set(topic, other)
    // Kafka refuses a topic whose name differs from another's only in "." and "_".
    const spelling = topic.replaceAll('.', '_')
    const twin = spellings.get(spelling) ?? topic
    if (twin !== topic) problems.push(`Kafka takes the topics "${twin}" and "${topic}" for one`)
    spellings.set(spelling, twin)
  }
  return problems
}

function upcastProblems(routes: ReadonlyMap<string, EventRoute>): string[] {
  return [...routes.values()].flatMap(({ eventName, definition: { version, upcasts = {} } }) =>
    Object.hasOwn(upcasts, version)
      ? [`event "${eventName}" is of version ${version}, and has an upcast from that version`]
      : [],
  )
}
