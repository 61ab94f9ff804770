// Runs a replay: reads the past in chunks, and gives each event to its handler.
//
// Y1. Nothing of the live group is touched: neither its offsets, nor its inbox rows, nor what is
//     parked.
// Y2. Events of one key are handled one at a time and in order; the keys of a chunk at once.
// Y3. The position that is kept never passes an event that was not handled under the replay's name.

import { isDeepStrictEqual } from 'node:util'
import type { AnyEvent } from '../catalogue/catalogue.ts'
import { readRecord } from '../catalogue/read-record.ts'
import { newEventId } from '../event-id.ts'
import { queueKey } from '../inbox/delivery.ts'
import { type Subscription, subscriptionsOf } from '../inbox/subscription.ts'
import { replayChunkMax } from '../limits.ts'
import { noObserver } from '../observe/observer.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { afterFailure } from '../retry/policy.ts'
import { partitionKey, type TopicDescription, type Transport } from '../transport/transport.ts'
import { type MergedRecord, mergedRecords } from './merged-records.ts'
import { type Rehandled, rehandle } from './rehandle.ts'
import type { ReplayOutcome, ReplayProgress, ReplayRequest, ReplayWatch } from './replay.ts'
import { type ReplayRange, rangesOf, refused } from './replay-range.ts'
import { keepReplay, type ReplayState, readReplay } from './replay-rows.ts'

interface ReplayTools extends DeliveryTools {
  readonly transport: Transport
  /** The service's own handlers. */
  readonly subscriptions: readonly Subscription[]
}

/** The way to replay a service's past, until the signal says that the service stops. */
export function openReplay(
  tools: DeliveryTools & { readonly transport: Transport },
  stopping: AbortSignal,
): (request: ReplayRequest, watch?: ReplayWatch) => Promise<ReplayOutcome> {
  const subscriptions = subscriptionsOf(tools.service)
  return (request, watch = {}) => {
    const signals = [stopping, ...(watch.signal === undefined ? [] : [watch.signal])]
    const signal = AbortSignal.any(signals)
    return runReplay({ ...tools, subscriptions }, request, { ...watch, signal })
  }
}

/**
 * Replays the past of a service into its handlers. Throws `replay-refused` where a handler forbids
 * it or the request makes no sense, and `kafka-unavailable`.
 */
async function runReplay(
  tools: ReplayTools,
  request: ReplayRequest,
  watch: ReplayWatch = {},
): Promise<ReplayOutcome> {
  const chosen = chosenOf(tools, request)
  const state = await begin(tools, request, chosen)
  return new ReplayRun({ ...tools, observer: noObserver }, { request, chosen, state, watch }).run()
}

/** The subscriptions that are meant, none of which forbids it. */
function chosenOf(tools: ReplayTools, { events }: ReplayRequest): readonly Subscription[] {
  const { subscriptions, service } = tools
  const unknown = (events ?? []).filter((name) => !subscriptions.some((one) => one.name === name))
  if (unknown.length > 0) {
    const known = subscriptions.map(({ name }) => `"${name}"`).join(', ') || 'nothing'
    throw refused(
      `service "${service.name}" does not handle "${unknown.join('", "')}", but ${known}`,
    )
  }
  const chosen = subscriptions.filter(({ name }) => events === undefined || events.includes(name))
  const forbidding = chosen.filter(({ options }) => options.replay === 'forbid')
  if (forbidding.length > 0) {
    const names = forbidding.map(({ name }) => `"${name}"`).join(', ')
    throw refused(
      `the handlers of ${names} in service "${service.name}" forbid a replay; name other events`,
    )
  }
  if (chosen.length === 0) throw refused(`service "${service.name}" handles no events`)
  return chosen
}

/** Goes on with the replay of that name, or begins a new one. */
async function begin(
  { transport, store, service, clock, random }: ReplayTools,
  request: ReplayRequest,
  chosen: readonly Subscription[],
): Promise<ReplayState> {
  const { name = newEventId(clock.nowMs(), random), from = 'start', to = 'end' } = request
  const events = chosen.map((one) => one.name).sort()
  const heard = new Set(chosen.map(({ topic }) => topic))
  const topics = service.catalogue.topics.filter(({ topic }) => heard.has(topic))
  // A shadow keeps nothing, so there is nothing to go on with.
  const known = request.into === 'shadow' ? null : await readReplay(store.read, name)
  if (known !== null) {
    checkSame(known, events, await transport.ensureTopics(topics))
    return known
  }
  const ranges = await rangesOf(transport, topics, { from, to })
  const recordsTotal = ranges.reduce((sum, { next, end }) => sum + Number(end - next), 0)
  return {
    events,
    ranges,
    progress: {
      name,
      recordsTotal,
      recordsRead: 0,
      handled: 0,
      repeated: 0,
      effectsSuppressed: 0,
      eventsSuppressed: 0,
    },
  }
}

/** What was passed over for other events, or read on other topics, would be missing (Y3). */
function checkSame(
  { events, ranges, progress: { name } }: ReplayState,
  asked: readonly string[],
  topics: readonly TopicDescription[],
): void {
  if (!isDeepStrictEqual(events, asked)) {
    throw refused(
      `replay "${name}" was begun for ${events.join(', ')}; give one for ${asked.join(', ')} ` +
        'another name',
    )
  }
  const anew = topics.find(({ topicId }) => ranges.every((range) => range.topicId !== topicId))
  if (anew !== undefined) {
    throw refused(
      `topic "${anew.topic}" was made anew since replay "${name}" was begun; begin another one`,
    )
  }
}

interface RunOptions {
  readonly request: ReplayRequest
  readonly chosen: readonly Subscription[]
  readonly state: ReplayState
  readonly watch: ReplayWatch
}

/** An event that was read, for one of the chosen handlers. */
interface PastEvent extends MergedRecord {
  readonly key: string
  readonly subscription: Subscription
  readonly event: AnyEvent
  readonly place: string
}

/** A failure that ends the replay. */
class Stopped extends Error {
  readonly at: string

  constructor(at: string, reason: string) {
    super(reason)
    this.at = at
  }
}

interface Counts {
  recordsRead: number
  handled: number
  repeated: number
  effectsSuppressed: number
  eventsSuppressed: number
}

class ReplayRun {
  readonly #tools: ReplayTools
  readonly #options: RunOptions
  readonly #signal: AbortSignal
  readonly #positions: Map<string, ReplayRange>
  readonly #counts: Counts
  #clusterId = ''

  constructor(tools: ReplayTools, options: RunOptions) {
    this.#tools = tools
    this.#options = options
    this.#signal = options.watch.signal ?? new AbortController().signal
    const { ranges, progress } = options.state
    this.#positions = new Map(ranges.map((range) => [partitionKey(range), range]))
    const { recordsRead, handled, repeated, effectsSuppressed, eventsSuppressed } = progress
    this.#counts = { recordsRead, handled, repeated, effectsSuppressed, eventsSuppressed }
  }

  get #progress(): ReplayProgress {
    const { name, recordsTotal } = this.#options.state.progress
    return { name, recordsTotal, ...this.#counts }
  }

  async run(): Promise<ReplayOutcome> {
    const { transport } = this.#tools
    this.#clusterId = (await transport.cluster()).clusterId
    try {
      let chunk: MergedRecord[] = []
      for await (const merged of mergedRecords(transport, [...this.#positions.values()])) {
        chunk.push(merged)
        if (chunk.length < replayChunkMax) continue
        await this.#handleChunk(chunk)
        chunk = []
      }
      await this.#handleChunk(chunk)
    } catch (error) {
      if (this.#signal.aborted) return { kind: 'interrupted', progress: this.#progress }
      if (!(error instanceof Stopped)) throw error
      const { at, message: reason } = error
      return { kind: 'stopped', at, reason, progress: this.#progress }
    }
    return { kind: 'done', progress: this.#progress }
  }

  async #handleChunk(chunk: readonly MergedRecord[]): Promise<void> {
    this.#signal.throwIfAborted()
    const byKey = Map.groupBy(await this.#readAll(chunk), ({ key }) => key)
    const lines = [...byKey.values()].map(async (events) => {
      for (const one of events) await this.#handle(one) // Y2
    })
    const outcomes = await Promise.allSettled(lines)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    this.#counts.recordsRead += chunk.length
    for (const { record } of chunk) {
      const range = this.#positions.get(partitionKey(record))
      const next = record.offset + 1n
      if (range !== undefined) this.#positions.set(partitionKey(record), { ...range, next })
    }
    await this.#keep() // Y3
    this.#options.watch.told?.(this.#progress)
  }

  async #keep(): Promise<void> {
    if (this.#options.request.into === 'shadow') return
    const { events } = this.#options.state
    const state = { events, ranges: [...this.#positions.values()], progress: this.#progress }
    const { store, clock } = this.#tools
    await store.transaction('keep a replay', (db) => keepReplay(db, state, clock.nowMs()))
  }

  /** Records that are no events of the chosen handlers are passed over. */
  async #readAll(chunk: readonly MergedRecord[]): Promise<readonly PastEvent[]> {
    const { service } = this.#tools
    const events = await Promise.all(
      chunk.map(async ({ record, topicId }) => {
        const origin = { clusterId: this.#clusterId, topicId }
        const read = await readRecord(service.catalogue, record, origin)
        if (read.kind === 'misfit') return []
        const { event } = read
        const subscription = this.#options.chosen.find(({ name }) => name === event.eventType)
        if (subscription === undefined) return []
        const place = `${record.topic}/${record.partition} at ${record.offset}`
        const key = queueKey(subscription.stream, read.key, place)
        return [{ key, subscription, event, place, record, topicId }]
      }),
    )
    return events.flat()
  }

  async #handle(past: PastEvent): Promise<void> {
    const { random } = this.#tools
    const { retry = {} } = past.subscription.options
    for (let attempt = 1; ; attempt++) {
      this.#signal.throwIfAborted()
      const outcome = await this.#attempt(past, attempt)
      if (outcome.kind === 'handled') this.#count(outcome)
      if (outcome.kind === 'repeat') this.#counts.repeated += 1
      if (outcome.kind !== 'failed') return
      const { failure } = outcome
      const next = afterFailure(attempt, retry, random)
      if (failure.isFinal || next.kind === 'exhausted') {
        throw new Stopped(past.place, failure.message)
      }
      await this.#wait(next.delayMs)
    }
  }

  /** Until then, or until the signal fires. */
  async #wait(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#tools.clock.after(delayMs, resolve)
    const stop = (): void => resolve()
    this.#signal.addEventListener('abort', stop, { once: true })
    try {
      await promise
    } finally {
      timer.cancel()
      this.#signal.removeEventListener('abort', stop)
    }
  }

  #attempt(past: PastEvent, attempt: number): Promise<Rehandled> {
    const { subscription, event, record, topicId } = past
    const isShadow = this.#options.request.into === 'shadow'
    const { name } = this.#options.state.progress
    return rehandle(this.#tools, {
      subscription,
      event,
      attempt,
      signal: this.#signal,
      inboxRow: isShadow
        ? null
        : {
            event_id: event.eventId,
            // A name of its own, so that the live handler's rows are not met (Y1).
            subscription: `${subscription.name} in replay ${name}`,
            handled_at_ms: this.#tools.clock.nowMs(),
            topic_id: topicId,
            partition: record.partition,
            record_offset: Number(record.offset),
          },
    })
  }

  #count({ wanted }: Extract<Rehandled, { kind: 'handled' }>): void {
    this.#counts.handled += 1
    this.#counts.effectsSuppressed += wanted.effects.length
    this.#counts.eventsSuppressed += wanted.events.length
  }
}
