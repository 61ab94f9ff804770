import { type ReadRecord, readRecord, recordId } from '../catalogue/read-record.ts'
import { messageOf } from '../errors.ts'
import {
  intakeChunkMax,
  partitionBytesMax,
  partitionEventsMax,
  storeRetryDelayMs,
} from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { readRetry } from '../retry/retry-topics.ts'
import type { AssignedPartition, CommitPosition, IncomingRecord } from '../transport/transport.ts'
import { decodeCompletions, encodeCompletions, intakeSpanMax } from './completions.ts'
import { type Delivery, freshProgress, queueKey } from './delivery.ts'
import { handledAmong, handledKey } from './inbox.ts'
import type { Subscription } from './subscription.ts'
import { Watermark } from './watermark.ts'
import { Window } from './window.ts'

export interface IntakeOptions {
  readonly tools: DeliveryTools
  readonly partition: AssignedPartition
  /** Those of the partition's topic. */
  readonly subscriptions: readonly Subscription[]
  /** For a retry topic: the topic whose events it holds, each until it is due. */
  readonly originalTopic?: string
  /** Null where there is room for more deliveries; else it resolves when there may be. */
  readonly room: () => Promise<void> | null
  readonly deliver: (delivery: Delivery) => void
  readonly reject: (record: IncomingRecord, reason: string) => Promise<void>
  /** Events on their way, of all partitions, by `subscription event_id`. */
  readonly onTheirWay: EventsOnTheirWay
  readonly pause: () => void
  readonly resume: () => void
  /** A record is done: there is something to commit. */
  readonly moved: () => void
}

/**
 * What one partition of ours has given us: it reads records into deliveries, in order, and
 * follows how far they are done.
 *
 * N1. Every record taken is told done once: delivered, ignored, a repeat, or rejected.
 * N2. Records enter their keys' queues in offset order.
 * N3. On a retry topic a record is read when it is due, never before; meanwhile the partition is
 *     paused.
 * N4. From `leave` on nothing more is delivered; what is done still counts, until `close`.
 */
export class PartitionIntake {
  readonly #options: IntakeOptions
  readonly #watermark: Watermark
  readonly #window = new Window({
    eventsMax: partitionEventsMax,
    bytesMax: partitionBytesMax,
    spanMax: intakeSpanMax,
  })
  #reading: Promise<void> = Promise.resolve()
  readonly #lost = new AbortController()
  /** For a record of a retry topic to be due. */
  #isWaiting = false
  #stopWaiting: () => void = () => {}
  #hasMoved = false
  #isLeaving = false
  #isClosed = false

  constructor(options: IntakeOptions) {
    this.#options = options
    const { partition } = options
    const before = decodeCompletions(partition, partition.metadata)
    this.#watermark = new Watermark(partition.position, before)
  }

  get partition(): AssignedPartition {
    return this.#options.partition
  }

  /** Something was done that `takeProgress` has not given yet. */
  get hasMoved(): boolean {
    return this.#hasMoved
  }

  /** What is to be committed: the lowest offset that is not done, and what is done above it. */
  takeProgress(): CommitPosition {
    this.#hasMoved = false
    const { topic, partition, topicId } = this.#options.partition
    const { position } = this.#watermark
    const metadata = encodeCompletions({ topicId, position }, this.#watermark.completed())
    return { topic, partition, offset: position, metadata }
  }

  /** It was not committed. */
  returnProgress(): void {
    this.#hasMoved = true
  }

  /** Nothing more of it is begun. */
  get isLeaving(): boolean {
    return this.#isLeaving
  }

  /** Records in memory. */
  get size(): number {
    return this.#window.events
  }

  take(records: readonly IncomingRecord[]): void {
    const taken = records.filter(({ offset }) => this.#watermark.take(offset))
    for (const record of taken) {
      const { span } = this.#watermark
      if (this.#window.enter(bytesOf(record), span) === 'pause') this.#options.pause()
    }
    for (let from = 0; from < taken.length; from += intakeChunkMax) {
      const chunk = taken.slice(from, from + intakeChunkMax)
      this.#reading = this.#reading.then(() => this.#readPatiently(chunk)) // N2
    }
  }

  /** Resolves when what was taken so far has been read. */
  async read(): Promise<void> {
    await this.#reading
  }

  leave(): void {
    this.#isLeaving = true
    this.#stopWaiting()
  }

  /** The partition may be another's already: its handlers are told to stop. */
  lose(): void {
    this.close()
    this.#lost.abort()
  }

  close(): void {
    this.leave()
    this.#isClosed = true
  }

  /** A store in trouble is waited for: what is read here is not in it yet. */
  async #readPatiently(records: readonly IncomingRecord[]): Promise<void> {
    const { clock, log } = this.#options.tools
    for (let at = 0; at < records.length && !this.#isLeaving; ) {
      try {
        for (let room = this.#options.room(); room !== null; room = this.#options.room()) {
          await room
        }
        const due = await this.#dueOf(records.slice(at))
        at += await this.#readChunk(due)
      } catch (error) {
        log.error({ reason: messageOf(error) }, 'records wait, because the store is in trouble')
        const { promise, resolve } = Promise.withResolvers<void>()
        clock.after(storeRetryDelayMs, resolve)
        await promise
      }
    }
  }

  /** The first of them that are due, once there are any (N3). */
  async #dueOf(records: readonly IncomingRecord[]): Promise<readonly IncomingRecord[]> {
    const [first] = records
    if (this.#options.originalTopic === undefined || first === undefined) return records
    const { clock } = this.#options.tools
    const waitMs = dueAtMsOf(first) - clock.nowMs()
    if (waitMs > 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = clock.after(waitMs, resolve)
      this.#stopWaiting = () => {
        timer.cancel()
        resolve()
      }
      this.#options.pause()
      this.#isWaiting = true
      await promise
      this.#isWaiting = false
      this.#stopWaiting = () => {}
      if (!this.#isLeaving && !this.#window.isPaused) this.#options.resume()
    }
    if (this.#isLeaving) return []
    const nowMs = clock.nowMs()
    const early = records.findIndex((record) => dueAtMsOf(record) > nowMs)
    return early < 0 ? records : records.slice(0, early)
  }

  /** Returns how many were dealt with; the rest is to be tried again. */
  async #readChunk(records: readonly IncomingRecord[]): Promise<number> {
    const { tools, partition, subscriptions, originalTopic, reject } = this.#options
    const catalogue = subscriptions[0]?.catalogue
    if (catalogue === undefined) return records.length
    const reads: { record: IncomingRecord; read: ReadRecord; eventId: string }[] = []
    for (const record of records) {
      const original = originalTopic === undefined ? record : { ...record, topic: originalTopic }
      const reading = readRecord(catalogue, original, partition)
      const read = reading instanceof Promise ? await reading : reading
      const eventId = read.kind === 'event' ? read.event.eventId : recordId(record, partition)
      reads.push({ record, read, eventId })
    }
    const eventIds = reads.map(({ eventId }) => eventId)
    const handled = await handledAmong(tools.store.read, eventIds)
    for (const [index, { record, read, eventId }] of reads.entries()) {
      if (this.#isLeaving) return records.length // N4
      if (read.kind === 'event') {
        this.#deliver(record, read, handled)
        continue
      }
      try {
        const isDiscarded = handled.has(handledKey(record.topic, eventId))
        if (!isDiscarded) await reject(record, read.reason)
      } catch (error) {
        if (index === 0) throw error
        return index
      }
      this.#done(record)
    }
    return records.length
  }

  #deliver(
    record: IncomingRecord,
    { event, key, traceparent, tracestate }: Extract<ReadRecord, { kind: 'event' }>,
    handled: ReadonlySet<string>,
  ): void {
    const { subscriptions, partition, onTheirWay } = this.#options
    const { clock, observer } = this.#options.tools
    const subscription = subscriptions.find(({ name }) => name === event.eventType)
    if (subscription === undefined || !subscription.concerns(event)) {
      this.#done(record)
      return
    }
    const identity = handledKey(subscription.name, event.eventId)
    if (handled.has(identity)) {
      observer.repeated?.(event, partition, clock.nowMs())
      this.#done(record)
      return
    }
    const maybeRepeat = onTheirWay.enter(identity)
    const heardAtMs = clock.nowMs()
    const delivery: Delivery = {
      key: queueKey(subscription.stream, key, key === null ? placeOf(record) : ''),
      lane: subscription.name,
      subscription,
      event,
      eventKey: key,
      traceparent,
      tracestate,
      heardAtMs,
      record,
      origin: partition,
      source: {
        kind: 'live',
        isAbandoned: () => this.#isLeaving,
        lost: this.#lost.signal,
        abandon: () => onTheirWay.leave(identity),
        done: () => {
          onTheirWay.leave(identity)
          this.#done(record)
        },
      },
      progress: freshProgress({ maybeRepeat, attempts: this.#attemptsOf(record) }),
    }
    observer.heard?.(delivery, heardAtMs)
    this.#options.deliver(delivery)
  }

  #attemptsOf({ headers }: IncomingRecord): number {
    return this.#options.originalTopic === undefined ? 0 : (readRetry(headers)?.attempts ?? 0)
  }

  #done(record: IncomingRecord): void {
    if (this.#isClosed) return
    this.#watermark.done(record.offset)
    const isLow = this.#window.leave(bytesOf(record), this.#watermark.span) === 'resume'
    // One that leaves must not resume what was given to us anew meanwhile.
    if (isLow && !this.#isLeaving && !this.#isWaiting) this.#options.resume()
    this.#hasMoved = true
    this.#options.moved()
  }
}

/**
 * Which events are between their arrival and their end. One that comes while its twin is on its
 * way was not in the inbox when it was looked for, and must be looked for again.
 */
export class EventsOnTheirWay {
  readonly #counts = new Map<string, number>()

  /** True where a twin is on its way already. */
  enter(identity: string): boolean {
    const count = this.#counts.get(identity) ?? 0
    this.#counts.set(identity, count + 1)
    return count > 0
  }

  leave(identity: string): void {
    const count = (this.#counts.get(identity) ?? 1) - 1
    if (count > 0) this.#counts.set(identity, count)
    else this.#counts.delete(identity)
  }
}

/** One that does not say it, because another program put it there, is due at once. */
function dueAtMsOf({ headers }: IncomingRecord): number {
  return readRetry(headers)?.dueAtMs ?? 0
}

/** A record costs more in memory than its bytes: the event, its queue's place. */
const overheadBytes = 512

function placeOf({ topic, partition, offset }: IncomingRecord): string {
  return `${topic}/${partition}/${offset}`
}

function bytesOf({ key, value }: IncomingRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0) + overheadBytes
}
