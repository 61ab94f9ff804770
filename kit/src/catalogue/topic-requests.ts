import type { TopicRequest } from '../transport/transport.ts'
import type { EventDefinition } from './event.ts'

interface Route {
  readonly eventName: string
  readonly topic: string
  readonly stream: string
  readonly definition: EventDefinition
}

/** Every topic of a catalogue once, with what its events say of it. */
export function topicRequests(
  routes: ReadonlyMap<string, Route>,
  partitions: number,
): readonly TopicRequest[] {
  return [...byTopic(routes)].map(([topic, onIt]) => {
    const said = onIt.find(({ definition }) => definition.partitions !== undefined)
    const configured = onIt.find(({ definition }) => definition.configs !== undefined)
    const configs = configured?.definition.configs
    const request = { topic, partitions: said?.definition.partitions ?? partitions }
    return configs === undefined ? request : { ...request, configs }
  })
}

/** What contradicts itself in partitions and configs. */
export function topicRequestProblems(
  routes: ReadonlyMap<string, Route>,
  partitions: number,
): readonly string[] {
  const requests = topicRequests(routes, partitions)
  const wrong = [
    ...countProblems('partitions', partitions),
    ...[...routes.values()].flatMap(({ eventName, definition }) =>
      countProblems(`partitions of event "${eventName}"`, definition.partitions ?? 1),
    ),
  ]
  const differing = [...byTopic(routes)].flatMap(([topic, onIt]) =>
    (['partitions', 'configs'] as const).flatMap((what) => {
      const said = onIt.flatMap(({ definition }) => {
        return definition[what] === undefined ? [] : [JSON.stringify(definition[what])]
      })
      const [one, other] = new Set(said)
      return other === undefined
        ? []
        : [`events on topic "${topic}" differ in ${what}, ${one} and ${other}`]
    }),
  )
  const counts = new Map(requests.map((request) => [request.topic, request.partitions]))
  const streams = Map.groupBy(routes.values(), ({ stream }) => stream)
  const uneven = [...streams].flatMap(([stream, inStream]) => {
    const [one, other] = new Set(inStream.map(({ topic }) => counts.get(topic)))
    return other === undefined
      ? []
      : [
          `topics of stream "${stream}" have ${one} and ${other} partitions: a key would not have ` +
            'one place in it',
        ]
  })
  return [...wrong, ...differing, ...uneven]
}

function byTopic(routes: ReadonlyMap<string, Route>): ReadonlyMap<string, Route[]> {
  return Map.groupBy(routes.values(), ({ topic }) => topic)
}

function countProblems(what: string, partitions: number): readonly string[] {
  return Number.isInteger(partitions) && partitions > 0
    ? []
    : [`${what} is ${partitions}, and must be a whole number above 0`]
}
