import type { Clock, Random, Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { newEventId } from '../event-id.ts'
import { slotLeaseMs, slotLookMs, slotReconnectMs } from '../limits.ts'
import type { Log } from '../log.ts'
import type { PostgresPlace } from '../store/postgres-url.ts'
import { balance } from './balance.ts'
import { Calls, readCalls } from './calls.ts'
import type { Call, Instances, SlotWorker } from './instances.ts'
import { SlotSession } from './slot-session.ts'

export interface SlotKeeperOptions {
  readonly place: PostgresPlace
  /** The service's schema. */
  readonly schema: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/**
 * An instance among others on PostgreSQL. It holds its share of the slots by session locks, so
 * that the slots of an instance that dies are free as soon as the server sees its connection end.
 *
 * I1. A slot is owned only while its lock is held, as far as that can be known here: not after
 *     the connection was lost, nor when the database has not answered for `slotLeaseMs`, which is
 *     shorter than what the server waits before it takes the locks away.
 * I2. A slot is given up in steps: nothing is begun in it any more, what runs is waited for, then
 *     the lock is released.
 * I3. With the connection all slots are lost at once. What was begun by then may still take
 *     effect: see R6 of the relay for what a send on its way does.
 * I4. No two instances bear one name at the same time, except for the moment in which one has lost
 *     its connection: it keeps its name then if it is still free, and else takes another.
 */
export class SlotKeeper implements Instances {
  readonly #options: SlotKeeperOptions
  readonly #workers = new Set<SlotWorker>()
  readonly #calls: Calls
  readonly #owned = new Set<number>()
  /** Slots whose lock is held until what runs in them has ended (I2). */
  readonly #leaving = new Set<number>()
  #session: SlotSession | null = null
  #name = ''
  #renamed: (name: string) => void = () => {}
  /** When the last look began that was answered. */
  #answeredAtMs = Number.NEGATIVE_INFINITY
  #timer: Timer | null = null
  #looking: Promise<void> | null = null
  #isAsked = false
  #isStopped = false

  private constructor(options: SlotKeeperOptions) {
    this.#options = options
    this.#calls = new Calls(options.clock, (payload) => this.#notify(payload))
  }

  /** Connects, takes a name, and the slots that are free. Throws what connecting throws. */
  static async open(options: SlotKeeperOptions): Promise<SlotKeeper> {
    const keeper = new SlotKeeper(options)
    await keeper.#connect()
    await keeper.#lookSoon()
    return keeper
  }

  get name(): string {
    return this.#name
  }

  /** To be called with the new name where the old one is another's now (I4). */
  onRenamed(renamed: (name: string) => void): void {
    this.#renamed = renamed
  }

  /** I1. */
  owns(slot: number): boolean {
    return this.#owned.has(slot) && this.#options.clock.nowMs() - this.#answeredAtMs <= slotLeaseMs
  }

  owned(): readonly number[] {
    return [...this.#owned].filter((slot) => this.owns(slot))
  }

  join(worker: SlotWorker): () => void {
    this.#workers.add(worker)
    return () => this.#workers.delete(worker)
  }

  call(call: Call): void {
    if (!this.#isStopped) this.#calls.add(call)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#calls.stop()
    await this.#looking
    const session = this.#session
    if (session === null) return
    await this.#give([...this.#owned], session)
    this.#session = null
    await session.end()
  }

  async #connect(): Promise<void> {
    const { place, schema, clock, random } = this.#options
    const session: SlotSession = await SlotSession.open({
      place,
      schema,
      clock,
      notified: (payload) => this.#hear(payload),
      lost: (reason) => this.#lose(session, reason),
    })
    const former = this.#name === '' ? null : this.#name
    const invent = () => `${schema}-${newEventId(clock.nowMs(), random)}`
    this.#name = await session.takeName(former, invent)
    this.#session = session
    await session.notify('{}') // The others are to give up some of their slots.
    if (former !== null && former !== this.#name) this.#renamed(this.#name) // I4
  }

  /** I3. */
  #lose(session: SlotSession, reason: string): void {
    if (this.#session !== session) return
    this.#session = null
    this.#owned.clear()
    this.#leaving.clear()
    this.#options.log.warn({ reason }, 'the slots of this instance are lost; it comes back')
    this.#lookLater(slotReconnectMs)
  }

  /** Looks who is there, takes and gives; then again, later. */
  #lookSoon(): Promise<void> {
    this.#isAsked = true
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
      if (this.#isAsked && !this.#isStopped) void this.#lookSoon()
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    this.#isAsked = false
    this.#timer?.cancel()
    let nextMs = slotLookMs
    try {
      if (this.#session === null) await this.#connect()
      if (this.#session !== null) await this.#share(this.#session)
    } catch (error) {
      nextMs = slotReconnectMs
      this.#options.log.debug({ reason: messageOf(error) }, 'this instance has no slots yet')
    }
    this.#lookLater(nextMs)
  }

  #lookLater(delayMs: number): void {
    this.#timer?.cancel()
    if (this.#isStopped) return
    this.#timer = this.#options.clock.after(delayMs, () => void this.#lookSoon())
  }

  async #share(session: SlotSession): Promise<void> {
    const askedAtMs = this.#options.clock.nowMs()
    const roll = await session.roll()
    if (this.#session !== session) return
    this.#answeredAtMs = askedAtMs
    const { take, give } = balance(roll)
    const leaving = give.filter((slot) => !this.#leaving.has(slot))
    if (leaving.length > 0) {
      this.#give(leaving, session).catch(() => {}) // The session tells that it is lost.
    }
    if (take.length === 0 || this.#isStopped) return
    const taken = await session.take(take)
    if (this.#session !== session || taken.length === 0) return
    for (const slot of taken) this.#owned.add(slot)
    this.#options.log.debug({ slots: taken }, 'slots are taken')
    for (const worker of this.#workers) worker.gained(taken)
  }

  /** I2. */
  async #give(slots: readonly number[], session: SlotSession): Promise<void> {
    if (slots.length === 0) return
    for (const slot of slots) {
      this.#owned.delete(slot)
      this.#leaving.add(slot)
    }
    await Promise.all([...this.#workers].map((worker) => worker.ended(slots)))
    if (this.#session !== session) return
    await session.give(slots)
    for (const slot of slots) this.#leaving.delete(slot)
    await session.notify('{}')
  }

  #notify(payload: string): void {
    this.#session?.notify(payload).catch(() => {}) // The others' sweeps are the net.
  }

  #hear(payload: string): void {
    const calls = readCalls(payload)
    // One that calls for nothing has given up slots, or is new.
    if (calls.length === 0) void this.#lookSoon()
    for (const call of calls) for (const worker of this.#workers) worker.called(call)
  }
}
