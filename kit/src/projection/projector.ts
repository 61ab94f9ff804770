// Builds one generation of a projection: reads its topics without a group, from their start on,
// and applies each event in the transaction that moves the position past it.
//
// G1. An event is applied once to a generation: the position moves in the same transaction, and an
//     event whose id was applied before (a resend, a wiped broker) is passed over.
// G2. Events of a partition are applied in their order. One that fails is tried again, and nothing
//     of its partition passes it.

import type { Transaction } from 'kysely'
import { type ReadRecord, readRecord } from '../catalogue/read-record.ts'
import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { handledAmong, handledKey, recordForgone } from '../inbox/inbox.ts'
import { projectionBatchMax } from '../limits.ts'
import type { Log } from '../log.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import type { IncomingRecord, TopicDescription, Transport } from '../transport/transport.ts'
import { generationNames } from './generation-names.ts'
import {
  appliedAs,
  keepPosition,
  lockProjection,
  positionOf,
  positionsOf,
  stateOf,
} from './generations.ts'
import type { AnyProjection } from './projection.ts'

export interface ProjectorOptions {
  readonly projection: AnyProjection
  readonly store: Store<KitTables>
  readonly transport: Transport
  readonly clock: Clock
  readonly log: Log
}

/** What one look at all partitions brought. */
export interface Progress {
  readonly applied: number
  /** True where nothing is left to be read. */
  readonly isCaughtUp: boolean
  /** Partitions that wait, with why. */
  readonly troubles: readonly string[]
}

interface PartitionPlace {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

export class Projector {
  readonly generation: number
  readonly #options: ProjectorOptions

  constructor(generation: number, options: ProjectorOptions) {
    this.generation = generation
    this.#options = options
  }

  /** Reads on in each partition, at most one batch. Throws `kafka-unavailable`. */
  async step(topics: readonly TopicDescription[]): Promise<Progress> {
    const { projection, store } = this.#options
    const positions = await positionsOf(store.read, projection, this.generation)
    let applied = 0
    let isCaughtUp = true
    const troubles: string[] = []
    for (const place of topics.flatMap(partitionsOf)) {
      const next = positions.get(`${place.topicId}/${place.partition}`) ?? 0n
      const records = await this.#options.transport.readFrom(place, next, projectionBatchMax)
      if (records.length === 0) continue
      if (records.length === projectionBatchMax) isCaughtUp = false
      try {
        const count = await this.#applyAll(place, records)
        applied += count ?? 0
        if (count === null) isCaughtUp = false
      } catch (error) {
        isCaughtUp = false
        troubles.push(await this.#applyUpToFailure(place, records, error))
      }
    }
    return { applied, isCaughtUp, troubles }
  }

  /** How many events were applied; null where another instance or a newer generation is at it. */
  async #applyAll(
    place: PartitionPlace,
    records: readonly IncomingRecord[],
  ): Promise<number | null> {
    const { projection, store, clock } = this.#options
    const reads = await this.#readAll(place, records)
    const subscription = this.#subscription
    return store.transaction(`projection ${projection.name}`, async (db) => {
      await lockProjection(db, projection, store.dialect)
      const { generation } = this
      const state = await stateOf(db, projection)
      if (state?.serving !== generation && state?.building !== generation) return null
      const next = await positionOf(db, projection, { ...place, generation })
      // Another instance, which has the slot now, was here first.
      if (next > (records[0]?.offset ?? 0n)) return null
      const known = await handledAmong(
        db,
        reads.map(({ eventId }) => eventId),
      )
      const fresh = new Map(
        reads
          .filter(({ eventId }) => !known.has(handledKey(subscription, eventId)))
          .map((one) => [one.eventId, one]),
      )
      for (const { event, handler } of fresh.values()) {
        await handler.apply(event, this.#tablesOf(db))
      }
      const nowMs = clock.nowMs()
      const rows = [...fresh.values()].map(({ eventId, record }) => ({
        event_id: eventId,
        subscription,
        handled_at_ms: nowMs,
        topic_id: place.topicId,
        partition: place.partition,
        record_offset: Number(record.offset),
      }))
      await recordForgone(db, rows)
      const last = records.at(-1)
      if (last !== undefined) {
        await keepPosition(db, projection, { ...place, generation, next: last.offset + 1n })
      }
      return fresh.size
    })
  }

  /** One by one, so that everything before the failure is applied (G2). */
  async #applyUpToFailure(
    place: PartitionPlace,
    records: readonly IncomingRecord[],
    first: unknown,
  ): Promise<string> {
    let at = records[0]
    let reason = messageOf(first)
    for (const record of records) {
      at = record
      try {
        await this.#applyAll(place, [record])
      } catch (error) {
        reason = messageOf(error)
        break
      }
    }
    const { projection, log } = this.#options
    const trouble = `${place.topic}/${place.partition} at ${at?.offset}: ${reason}`
    log.error({ projection: projection.name, reason: trouble }, 'a projection waits at an event')
    return trouble
  }

  /** Its own events. What is none is passed over: the service's handlers reject it. */
  async #readAll(place: PartitionPlace, records: readonly IncomingRecord[]) {
    const { projection } = this.#options
    const origin = { clusterId: '', topicId: place.topicId }
    const reads = await Promise.all(
      records.map(async (record) => {
        const read: ReadRecord = await readRecord(projection.catalogue, record, origin)
        if (read.kind === 'misfit') return []
        const { event } = read
        const handler = projection.handlers.get(event.eventType)
        return handler === undefined ? [] : [{ record, event, eventId: event.eventId, handler }]
      }),
    )
    return reads.flat()
  }

  /** Inbox rows of a generation stand under a name of their own. */
  get #subscription(): string {
    return appliedAs(this.#options.projection.name, this.generation)
  }

  #tablesOf(db: Transaction<KitTables>): Transaction<KitTables> {
    return db.withPlugin(generationNames(this.#options.projection.tables, this.generation))
  }
}

function partitionsOf({ topic, topicId, partitions }: TopicDescription): PartitionPlace[] {
  return Array.from({ length: partitions }, (_, partition) => ({ topic, topicId, partition }))
}
