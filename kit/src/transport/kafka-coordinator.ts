import {
  type Admin,
  type Broker,
  type Connection,
  ConnectionPool,
  findCoordinatorV3,
  findCoordinatorV4,
  findCoordinatorV5,
  findCoordinatorV6,
  heartbeatV4,
  joinGroupV7,
  joinGroupV8,
  joinGroupV9,
  offsetCommitV8,
  offsetCommitV9,
  offsetFetchV7,
  offsetFetchV8,
  offsetFetchV9,
  syncGroupV5,
} from '@platformatic/kafka'
import { clusterReadyDelayMs, coordinatorAttemptsMax } from '../limits.ts'
import { highestCommon, type OfferedApi, tooOld } from './kafka-apis.ts'
import { connectionOptions } from './kafka-client.ts'
import { codeOf, isRefusedByKafka } from './kafka-errors.ts'
import type { KafkaSettings } from './kafka-settings.ts'

/** What we ask a group's coordinator, each in the highest version that it offers. */
export interface GroupApis {
  readonly find: Spoken<typeof findApis>
  readonly join: Spoken<typeof joinApis>
  readonly sync: Spoken<typeof syncApis>
  readonly heartbeat: Spoken<typeof heartbeatApis>
  readonly commit: Spoken<typeof commitApis>
  readonly fetchOffsets: Spoken<typeof fetchOffsetsApis>
}

/** Before version 9 nothing is said of `skipAssignment` (KIP-814). */
export type JoinGroupResponse = Awaited<ReturnType<GroupApis['join']['async']>> & {
  readonly skipAssignment?: boolean
}

type Spoken<Apis extends readonly unknown[]> = Apis[number]

const findApis = [
  findCoordinatorV6.api,
  findCoordinatorV5.api,
  findCoordinatorV4.api,
  findCoordinatorV3.api,
] as const
const joinApis = [joinGroupV9.api, joinGroupV8.api, joinGroupV7.api] as const
const syncApis = [syncGroupV5.api] as const
const heartbeatApis = [heartbeatV4.api] as const
const commitApis = [offsetCommitV9.api, offsetCommitV8.api] as const
const fetchOffsetsApis = [offsetFetchV9.api, offsetFetchV8.api, offsetFetchV7.api] as const

/** Kafka's key type of a consumer group, for FindCoordinator. */
const groupKey = 0

/**
 * What a coordinator says that is not, or not yet, the group's. Nothing was decided, so the same
 * request is sent again, to whoever is the coordinator then.
 */
const elsewhere = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
])

/** A join waits for the others on its connection; what must not wait goes by another. */
export type Lane = 'joining' | 'working'

/**
 * The way to a group's coordinator: finds it, keeps connections to it, and finds it anew when it
 * moves to another broker.
 */
export class KafkaCoordinator {
  readonly #client: Admin
  readonly #group: string
  readonly #lanes: Readonly<Record<Lane, ConnectionPool>>
  #found: { readonly broker: Broker; readonly apis: GroupApis } | null = null

  constructor(client: Admin, group: string, settings: KafkaSettings) {
    this.#client = client
    this.#group = group
    const pool = () => new ConnectionPool(settings.clientId, connectionOptions(settings))
    this.#lanes = { joining: pool(), working: pool() }
  }

  /**
   * Sends a request; again where the coordinator has moved or its connection broke, a second or
   * so long. Throws the last error.
   */
  async call<Answer>(
    lane: Lane,
    send: (connection: Connection, apis: GroupApis) => Promise<Answer>,
  ): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { broker, apis } = await this.#find()
        return await send(await this.#lanes[lane].get(broker), apis)
      } catch (error) {
        const isElsewhere = !isRefusedByKafka(error) || elsewhere.has(codeOf(error))
        if (!isElsewhere) throw error
        this.#found = null
        this.#client.clearMetadata()
        if (attempt >= coordinatorAttemptsMax) throw error
        await new Promise((resolve) => setTimeout(resolve, clusterReadyDelayMs))
      }
    }
  }

  /** Ends requests in flight with an error, and tells the coordinator nothing. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#lanes.joining.close(), this.#lanes.working.close()])
  }

  async #find(): Promise<{ readonly broker: Broker; readonly apis: GroupApis }> {
    if (this.#found !== null) return this.#found
    const apis = apisFrom(await this.#client.listApis())
    const { brokers } = await this.#client.metadata({ topics: [] })
    const connection = await this.#lanes.working.getFirstAvailable([...brokers.values()])
    const { coordinators } = await apis.find.async(connection, groupKey, [this.#group])
    const [coordinator] = coordinators
    if (coordinator === undefined) throw new Error(`group "${this.#group}" has no coordinator`)
    this.#found = { broker: { host: coordinator.host, port: coordinator.port }, apis }
    return this.#found
  }
}

function apisFrom(offered: readonly OfferedApi[]): GroupApis {
  const pick = <Api extends { readonly version: number }>(name: string, spoken: readonly Api[]) => {
    const api = highestCommon(offered, name, spoken)
    if (api === null) throw tooOld(name)
    return api
  }
  return {
    find: pick('FindCoordinator', findApis),
    join: pick('JoinGroup', joinApis),
    sync: pick('SyncGroup', syncApis),
    heartbeat: pick('Heartbeat', heartbeatApis),
    commit: pick('OffsetCommit', commitApis),
    fetchOffsets: pick('OffsetFetch', fetchOffsetsApis),
  }
}
