import { partitionKey } from '@millrace/kit/inside'
import { outageMark } from './dependency.ts'
import type { ServiceState } from './service-state.ts'
import type { SimulatedSystem } from './simulated-system.ts'

/** What is left where an event's next attempt is due later: it may be hours. */
export const waitsForRetryMark = 'waits for another attempt'

/**
 * What is left to do, once nothing goes wrong any more; empty when all is done (P6): each event is
 * handled, parked or rejected, nothing waits in an outbox, and the offsets are at the ends.
 */
export function leftToDo(system: SimulatedSystem): readonly string[] {
  const { instances, states, cluster } = system
  if (cluster.isAway) return ['Kafka is away']
  const absent = instances.filter(({ running }) => running === null)
  if (absent.length > 0) return absent.map(({ name }) => `${name} is not up`)
  return [...states.values()].flatMap((state) => [
    ...waiting(state),
    ...system.heard.missing(state).map((id) => `${state.name} has not handled ${id}`),
    ...behind(system, state),
  ])
}

/** P7: what an outage did to an event is not a reason to give it up. */
export function checkOutages({ states, verdict }: SimulatedSystem): void {
  for (const state of states.values()) {
    for (const { state: kind, reason, event_id: id } of state.putAside()) {
      if (kind !== 'parked' || !reason.includes(outageMark)) continue
      verdict.violated('P7', `${state.name} has parked ${id} because of an outage: ${reason}`)
    }
  }
}

function waiting(state: ServiceState): readonly string[] {
  const unsent = state.unsent()
  const due = state.putAside().filter((letter) => letter.state === 'waiting')
  return [
    ...(unsent > 0 ? [`${unsent} events of ${state.name} are not sent`] : []),
    ...due.map(({ event_id: id }) => `${id} ${waitsForRetryMark} in ${state.name}`),
  ]
}

function behind({ cluster }: SimulatedSystem, { definition }: ServiceState): readonly string[] {
  const { handlers, catalogue, group } = definition
  const topics = [...handlers.keys()].map((name) => catalogue.routes.get(name)?.topic ?? name)
  return [...new Set(topics)]
    .flatMap((topic) => cluster.partitionsOf(topic))
    .flatMap((at) => {
      const end = cluster.end(at)
      const committed = cluster.group(group).committed(at)?.offset ?? 0n
      const where = `${partitionKey(at)} at ${committed} of ${end}`
      return committed < end ? [`the group ${group} has committed ${where}`] : []
    })
}
