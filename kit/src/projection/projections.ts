// Keeps the projections of a service up to date, and rebuilds them beside those that are read.
//
// P1. A projection is written by one instance: the owner of its slot.
// P2. What is read is always one whole generation: the views change in one transaction, once the
//     next generation has read as far as the one that is shown.
// P3. A generation is written by the version of the code that began it, and by no other.
// P4. Generations change under the projection's lock, and by their state as it is then: another
//     instance, or somebody who asks for a rebuild, may have been there in between.

import type { Transaction } from 'kysely'
import type { Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Instances } from '../instances/instances.ts'
import { slotOf } from '../instances/slot.ts'
import {
  inboxPruneEveryMs,
  projectionPollMs,
  projectionTroubleMs,
  pruneRowsMax,
  topicsFreshMs,
} from '../limits.ts'
import { keyHash } from '../outbox/partitioner.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { TopicDescription, Transport } from '../transport/transport.ts'
import {
  forgetApplied,
  lockProjection,
  makeFirst,
  makeNext,
  type ProjectionState,
  positionsOf,
  stateOf,
  swap,
} from './generations.ts'
import type { AnyProjection } from './projection.ts'
import { Projector, type ProjectorOptions } from './projector.ts'

/** How a projection stands. */
export interface ProjectionStatus {
  readonly name: string
  /** The generation that is read. */
  readonly serving: number
  /** The generation that is being built; null unless it is rebuilt. */
  readonly building: number | null
  /** Events that this instance applied since its start, by either. */
  readonly applied: number
  /** Why it does not go on; null where it does. */
  readonly trouble: string | null
}

/** How far a generation is that is being built. */
export interface RebuildProgress {
  /** The generation; null where none is being built. */
  readonly building: number | null
  /** Records that it has passed, and that there are. */
  readonly done: number
  readonly total: number
}

export interface ProjectionsOptions extends Omit<ProjectorOptions, 'projection' | 'transport'> {
  readonly projections: readonly AnyProjection[]
  readonly instances: Instances
  /** Null with KAFKA_ENABLED=false: the tables are there, and stay as they are. */
  readonly transport: Transport | null
}

export class Projections {
  readonly #keepers: readonly Keeper[]

  constructor({ projections, ...options }: ProjectionsOptions) {
    this.#keepers = projections.map((projection) => new Keeper({ ...options, projection }))
  }

  /** Makes tables that are missing, so that they can be read; then goes on in the background. */
  async start(): Promise<void> {
    for (const keeper of this.#keepers) await keeper.start()
  }

  status(): readonly ProjectionStatus[] {
    return this.#keepers.flatMap((keeper) => keeper.status ?? [])
  }

  /** Builds it anew from the start of its topics. False where there is none of that name. */
  async rebuild(name: string): Promise<boolean> {
    const keeper = this.#keepers.find((one) => one.name === name)
    await keeper?.rebuild()
    return keeper !== undefined
  }

  /** How far its rebuilding is; null where there is none of that name. */
  async progress(name: string): Promise<RebuildProgress | null> {
    const keeper = this.#keepers.find((one) => one.name === name)
    return keeper === undefined ? null : keeper.progress()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#keepers.map((keeper) => keeper.stop()))
  }
}

interface KeeperOptions extends Omit<ProjectionsOptions, 'projections'> {
  readonly projection: AnyProjection
}

/** Keeps one projection. */
class Keeper {
  readonly #options: KeeperOptions
  readonly #slot: number
  #timer: Timer | null = null
  #working: Promise<void> | null = null
  #state: ProjectionState | null = null
  #topics: { readonly asOfMs: number; readonly found: readonly TopicDescription[] } | null = null
  #applied = 0
  #forgotAtMs = Number.NEGATIVE_INFINITY
  #trouble: string | null = null
  #isStopped = false

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#slot = slotOf(keyHash(options.projection.name))
  }

  get name(): string {
    return this.#options.projection.name
  }

  get status(): ProjectionStatus | null {
    if (this.#state === null) return null
    const { name, serving, building } = this.#state
    return { name, serving, building, applied: this.#applied, trouble: this.#trouble }
  }

  async start(): Promise<void> {
    await this.#change(
      'projection',
      (db, state) => state ?? makeFirst(db, this.#options.projection),
    )
    this.#again(0)
  }

  async progress(): Promise<RebuildProgress> {
    const { store, projection, transport } = this.#options
    const building = (await stateOf(store.read, projection))?.building ?? null
    if (building === null || transport === null) return { building, done: 0, total: 0 }
    const positions = await positionsOf(store.read, projection, building)
    const places = (await this.#describe(transport)).flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    )
    const ends = [...(await transport.offsetsAt(places, 'end')).values()]
    const sum = (offsets: readonly bigint[]) => Number(offsets.reduce((all, at) => all + at, 0n))
    return { building, done: sum([...positions.values()]), total: sum(ends) }
  }

  async rebuild(): Promise<void> {
    const { projection } = this.#options
    await this.#change('rebuild', (db, state) => state && makeNext(db, projection, state))
    this.#again(0)
  }

  /** P4 */
  async #change(
    what: string,
    change: (
      db: Transaction<KitTables>,
      state: ProjectionState | null,
    ) => Promise<ProjectionState> | ProjectionState | null,
  ): Promise<ProjectionState | null> {
    const { store, projection } = this.#options
    this.#state = await store.transaction(`${what} ${projection.name}`, async (db) => {
      await lockProjection(db, projection, store.dialect)
      return change(db, await stateOf(db, projection))
    })
    return this.#state
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#working
  }

  #again(delayMs: number): void {
    if (this.#isStopped || this.#options.transport === null) return
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#working ??= this.#work().finally(() => {
        this.#working = null
      })
    })
  }

  async #work(): Promise<void> {
    let delayMs = projectionPollMs
    try {
      const { instances, transport } = this.#options
      if (transport !== null && instances.owns(this.#slot)) {
        delayMs = await this.#advance(transport) // P1
        await this.#forget()
      }
      this.#trouble = delayMs === projectionTroubleMs ? this.#trouble : null
    } catch (error) {
      const reason = messageOf(error)
      if (this.#trouble !== reason) {
        this.#options.log.warn({ projection: this.name, reason }, 'a projection waits')
      }
      this.#trouble = reason
      this.#topics = null // A Kafka that was away may come back with other topics.
      delayMs = projectionTroubleMs
    }
    this.#again(delayMs)
  }

  /** Old rows of what was applied, a few at a time. */
  async #forget(): Promise<void> {
    const { clock, store } = this.#options
    const nowMs = clock.nowMs()
    if (this.#state === null || nowMs - this.#forgotAtMs < inboxPruneEveryMs) return
    const state = this.#state
    const forget = () =>
      store.transaction('forget applied events', (db) => forgetApplied(db, state, nowMs))
    while (!this.#isStopped && (await forget()) === pruneRowsMax);
    this.#forgotAtMs = nowMs
  }

  /** Reads on in what is shown and in what is built; returns when to look again. */
  async #advance(transport: Transport): Promise<number> {
    const { projection, store } = this.#options
    const topics = await this.#describe(transport)
    let state = await stateOf(store.read, projection)
    if (state === null) return projectionTroubleMs
    if (isOutdated(state, projection)) {
      state = await this.#change('rebuild', (db, now) =>
        now !== null && isOutdated(now, projection) ? makeNext(db, projection, now) : now,
      )
      if (state === null) return projectionTroubleMs
      const { building } = state
      this.#options.log.info({ projection: this.name, building }, 'a projection is rebuilt')
    }
    this.#state = state
    const step = (generation: number) =>
      new Projector(generation, { ...this.#options, transport }).step(topics)
    const { serving, building } = ofVersion(state, projection) // P3
    const shown = serving === null ? null : await step(serving)
    const built = building === null ? null : await step(building)
    this.#applied += (shown?.applied ?? 0) + (built?.applied ?? 0)
    if (built?.isCaughtUp === true && built.troubles.length === 0) await this.#swap(building) // P2
    const troubles = [...(shown?.troubles ?? []), ...(built?.troubles ?? [])]
    if (troubles.length > 0) {
      this.#trouble = troubles.join('; ')
      return projectionTroubleMs
    }
    const isBehind = shown?.isCaughtUp === false || built?.isCaughtUp === false
    return isBehind ? 0 : projectionPollMs
  }

  async #swap(built: number | null): Promise<void> {
    const { projection, log } = this.#options
    const state = await this.#change('show', (db, now) =>
      now !== null && now.building === built ? swap(db, projection, now) : now,
    )
    if (state?.serving !== built) return
    log.info({ projection: this.name, serving: built }, 'a projection was rebuilt, and is shown')
  }

  /** The topics of its events; those that were added partitions are seen after a while. */
  async #describe(transport: Transport): Promise<readonly TopicDescription[]> {
    const { clock, projection } = this.#options
    const nowMs = clock.nowMs()
    if (this.#topics !== null && nowMs - this.#topics.asOfMs < topicsFreshMs) {
      return this.#topics.found
    }
    const { routes, topics } = projection.catalogue
    const heard = new Set([...projection.handlers.keys()].map((name) => routes.get(name)?.topic))
    const found = await transport.ensureTopics(topics.filter(({ topic }) => heard.has(topic)))
    this.#topics = { asOfMs: nowMs, found }
    return found
  }
}

/** The generations that this code may write: another version's handlers are not here. */
function ofVersion(
  state: ProjectionState,
  { version }: AnyProjection,
): { readonly serving: number | null; readonly building: number | null } {
  return {
    serving: state.serving_version === version ? state.serving : null,
    building: state.building_version === version ? state.building : null,
  }
}

/** Neither what is shown nor what is built is of this version. */
function isOutdated(state: ProjectionState, { version }: AnyProjection): boolean {
  return state.serving_version !== version && state.building_version !== version
}
