// A service in the shadow: its handlers run over history in a database of their own, and nothing
// that they do or say leaves it.

import type { AnyEvent } from '../catalogue/catalogue.ts'
import { readRecord } from '../catalogue/read-record.ts'
import { type Clock, type Random, systemClock } from '../clock.ts'
import { Effects } from '../effect.ts'
import type { Environment } from '../environment.ts'
import { subscriptionsOf } from '../inbox/subscription.ts'
import { silentLog } from '../log.ts'
import { noObserver } from '../observe/observer.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { Outbox } from '../outbox/outbox.ts'
import { disposeResources } from '../resources.ts'
import type { AnyServiceDefinition } from '../service.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Store } from '../store/store.ts'
import { type Write, withCapturedWrites } from './captured-writes.ts'
import type { MergedRecord } from './merged-records.ts'
import { rehandle } from './rehandle.ts'

/** What a handler made of one event. */
export interface ShadowRun {
  readonly event: AnyEvent
  readonly effects: readonly { readonly name: string; readonly person: string }[]
  readonly events: readonly { readonly name: string; readonly body: string }[]
  readonly writes: readonly Write[]
  /** Why it failed; null where it did not. */
  readonly failure: string | null
}

export interface ShadowOptions {
  readonly service: AnyServiceDefinition
  /** The service's tables, in a database that may be written. The shadow closes it. */
  readonly store: Store<KitTables>
  readonly env: Environment
}

export class ShadowService implements AsyncDisposable {
  readonly #tools: DeliveryTools
  readonly #time: EventTime
  readonly #subscriptions: ReturnType<typeof subscriptionsOf>

  static async open({ service, store, env }: ShadowOptions): Promise<ShadowService> {
    const time = new EventTime()
    const { clock, random } = time
    const { signal } = new AbortController()
    const log = silentLog
    const resources = await service.resources.open({ env, log, clock, signal })
    const tools: DeliveryTools = {
      service,
      store,
      outbox: new Outbox(Number.POSITIVE_INFINITY),
      effects: new Effects({ store, group: service.group, clock }),
      clock,
      random,
      resources,
      env,
      log,
      observer: noObserver,
    }
    return new ShadowService(tools, time)
  }

  private constructor(tools: DeliveryTools, time: EventTime) {
    this.#tools = tools
    this.#time = time
    this.#subscriptions = subscriptionsOf(tools.service)
  }

  /** Runs the handler of a record's event; null where the service does not hear it. */
  async run({ record, topicId }: MergedRecord): Promise<ShadowRun | null> {
    const { service } = this.#tools
    const read = await readRecord(service.catalogue, record, { clusterId: 'shadow', topicId })
    if (read.kind === 'misfit') return null
    const { event } = read
    const subscription = this.#subscriptions.find(({ name }) => name === event.eventType)
    if (subscription === undefined) return null
    this.#time.moveTo(event)
    const writes: Write[] = []
    const outcome = await rehandle(this.#tools, {
      subscription,
      event,
      attempt: 1,
      signal: new AbortController().signal,
      // Committed, so that history goes on from what it did.
      inboxRow: {
        event_id: event.eventId,
        subscription: `${subscription.name} in a shadow`,
        handled_at_ms: record.timestampMs,
        topic_id: topicId,
        partition: record.partition,
        record_offset: Number(record.offset),
      },
      isMuted: true,
      watch: (db) => withCapturedWrites(db, writes),
    })
    if (outcome.kind === 'repeat') return null
    const { wanted } = outcome
    return {
      event,
      effects: wanted.effects,
      events: wanted.events.map(({ event_type: name, value }) => ({ name, body: bodyOf(value) })),
      writes,
      failure: outcome.kind === 'failed' ? outcome.failure.message : null,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await disposeResources(this.#tools.resources)
    await this.#tools.store[Symbol.asyncDispose]()
  }
}

/** What an event says itself: its ids and its time differ from run to run. */
function bodyOf(value: Uint8Array | null | undefined): string {
  if (value === null || value === undefined) return ''
  const text = new TextDecoder().decode(value)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return text // Another wire format: it is compared as it is.
  }
  if (typeof parsed !== 'object' || parsed === null) return JSON.stringify(parsed)
  const own = Object.entries(parsed).filter(([name]) => !envelope.has(name))
  return JSON.stringify(Object.fromEntries(own))
}

const envelope = new Set(
  'eventId eventType timestamp version source correlationId causationId metadata'.split(' '),
)

/** Time and chance as they follow from the event, the same for every service that hears it. */
class EventTime {
  #nowMs = 0
  #seed = 1

  /** It stands still at the event's time; its timers are real, so that a handler has its limit. */
  readonly clock: Clock = {
    nowMs: () => this.#nowMs,
    after: (delayMs, fire) => systemClock.after(delayMs, fire),
  }

  /** Mulberry32. */
  readonly random: Random = () => {
    this.#seed = (this.#seed + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  moveTo({ eventId, timestamp }: AnyEvent): void {
    this.#nowMs = Date.parse(timestamp)
    this.#seed = Buffer.from(eventId).reduce((sum, byte) => (sum * 31 + byte) | 0, 7)
  }
}
