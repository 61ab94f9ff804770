import type {
  BodyOf,
  Catalogue,
  EventName,
  Random,
  ServiceDefinition,
  TransactionContext,
} from '@millrace/kit'
import {
  keyHash,
  keyOf,
  newEventId,
  partitionOf,
  typedTransactionContext,
  type UntypedServerContext,
  viewTables,
  writeHeaders,
} from '@millrace/kit/inside'
import type { Kysely } from 'kysely'
import type { Agenda } from './agenda.ts'
import { chanceOf, drawBelow, seedFor } from './chance.ts'
import { openDependency } from './dependency.ts'
import { troubleMsMax } from './limits.ts'
import type { ServiceState } from './service-state.ts'
import type { SimulatedCluster } from './simulated-cluster.ts'
import type { Act, World } from './world.ts'

export interface WorldOptions {
  readonly seed: number
  readonly agenda: Agenda
  readonly cluster: SimulatedCluster
  readonly states: ReadonlyMap<string, ServiceState>
  /** An instance of the service that is up, or null. */
  readonly contextOf: (serviceName: string) => UntypedServerContext | null
  /** Names of dependencies that are down. */
  readonly down: ReadonlySet<string>
  readonly dependencies: Set<string>
}

/** The world of one schedule, as its scenario sees it. */
export function openWorld(options: WorldOptions): World {
  const { seed, agenda, cluster, down, dependencies } = options
  const random: Random = chanceOf(seedFor(seed, 'scenario'))
  const ids: Random = chanceOf(seedFor(seed, 'ids'))
  const slow: Random = chanceOf(seedFor(seed, 'slow'))
  const world: World = {
    random,
    nowMs: () => agenda.nowMs,
    dependency(name, act) {
      dependencies.add(name)
      const slowMs = (): number => 1_000 + drawBelow(slow, troubleMsMax)
      return openDependency({ name, agenda, act, slowMs, isDown: () => down.has(name) })
    },
    act: (name, run) => ({ name, run }),
    says: (service, name, body) => ({
      name: `${service.name} says "${name}" ${describe(body)}`,
      run: () => world.transaction(service, ({ publish }) => publish(name, body)),
    }),
    arrives: (catalogue, name, body) => arrival({ catalogue, name, body, cluster, agenda, ids }),
    async transaction<C extends Catalogue, Tables, Opened extends object, Result>(
      service: ServiceDefinition<C, Tables, Opened>,
      work: (context: TransactionContext<C, Tables>) => Promise<Result>,
    ): Promise<Result> {
      const running = await contextWhenUp(service.name, options)
      return running.transaction((context) => work(typedTransactionContext<C, Tables>(context)))
    },
    read: <C extends Catalogue, Tables, Opened extends object>(
      service: ServiceDefinition<C, Tables, Opened>,
    ): Kysely<Tables> => viewTables<Tables>(stateOf(options, service.name).db),
    deadLetters: (service) => stateOf(options, service.name).putAside(),
  }
  return world
}

function contextWhenUp(
  name: string,
  { agenda, contextOf }: WorldOptions,
): Promise<UntypedServerContext> {
  const { promise, resolve } = Promise.withResolvers<UntypedServerContext>()
  agenda.add({
    life: null,
    what: `a request reaches ${name}`,
    isReady: () => contextOf(name) !== null,
    perform: () => {
      const context = contextOf(name)
      if (context !== null) resolve(context)
    },
  })
  return promise
}

interface Arrival<C extends Catalogue, Name extends EventName<C>> {
  readonly catalogue: C
  readonly name: Name
  readonly body: BodyOf<C, Name>
  readonly cluster: SimulatedCluster
  readonly agenda: Agenda
  readonly ids: Random
}

/** A producer of another program, which tries until Kafka has its record. */
function arrival<C extends Catalogue, Name extends EventName<C>>(options: Arrival<C, Name>): Act {
  const { catalogue, name, body, cluster, agenda, ids } = options
  const { payload, ...fields }: Readonly<Record<string, unknown>> = { ...body }
  return {
    name: `"${name}" ${describe(body)} arrives`,
    async run() {
      const route = catalogue.routes.get(name)
      if (route === undefined) throw new Error(`catalogue "${catalogue.name}" has no "${name}"`)
      const eventId = newEventId(agenda.nowMs, ids)
      const timestamp = new Date(agenda.nowMs).toISOString()
      const { version } = route.definition
      const known = { eventId, eventType: name, timestamp, version, source: 'outside' }
      const envelope = { ...known, correlationId: eventId, causationId: null, metadata: {} }
      const key = keyOf(route, { fields, payload })
      const partitions =
        catalogue.topics.find(({ topic }) => topic === route.topic)?.partitions ?? 1
      const headers = { id: eventId, type: name, source: 'outside', version }
      const record = {
        key: key === null ? null : new TextEncoder().encode(key),
        value: catalogue.format.encode({ envelope, fields, payload }),
        headers: writeHeaders(headers),
        timestampMs: agenda.nowMs,
      }
      const partition = partitionOf(keyHash(key ?? eventId), partitions)
      await agenda.call(null, {
        what: `another program sends "${name}" to ${route.topic}/${partition}`,
        act: () => {
          cluster.ensureTopic({ topic: route.topic, partitions })
          return cluster.append({ topic: route.topic, partition }, [record])
        },
        isReady: () => !cluster.isAway,
      })
    },
  }
}

function stateOf({ states }: WorldOptions, name: string): ServiceState {
  const state = states.get(name)
  if (state === undefined) throw new Error(`the scenario has no service "${name}"`)
  return state
}

function describe(body: unknown): string {
  const text = JSON.stringify(body)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
