import { systemClock } from '../clock.ts'
import { damagedRetryMs, reconnectDelayMsMin } from '../limits.ts'
import type { KafkaFetcher } from './kafka-fetcher.ts'
import type { DamagedFetch, FetchPosition, PartitionFetch } from './partition-fetch.ts'
import { reconnectMs } from './reconnect.ts'
import {
  type AssignedPartition,
  type IncomingRecord,
  partitionKey,
  type TopicPartition,
} from './transport.ts'

export interface PartitionReaderOptions {
  readonly fetcher: KafkaFetcher
  readonly records: (at: TopicPartition, records: readonly IncomingRecord[]) => void
  /** The topic was deleted, or made again under its name. */
  readonly gone: (topic: string) => void
  /** Nothing can be read at this place, or it can again (null). It goes on trying. */
  readonly damaged: (at: TopicPartition, damage: DamagedFetch | null) => void
  /** Fetching is in trouble; it goes on trying. One call for an outage. */
  readonly failed: (error: unknown) => void
}

/**
 * Reads partitions, from the moment that they are added until they are removed: one request in
 * flight for each broker that leads some of them.
 *
 * F1. Records come in order, and only of a partition that is being read: an answer to a request
 *     from before a removal is dropped, also where the partition is back by then.
 */
export class PartitionReader {
  readonly #options: PartitionReaderOptions
  readonly #reading = new Map<string, Reading>()
  readonly #busyNodes = new Set<number>()
  #failures = 0
  #isClosed = false

  constructor(options: PartitionReaderOptions) {
    this.#options = options
  }

  /** Begins to read, paused ones excepted. */
  add(partitions: readonly AssignedPartition[], isPaused: (key: string) => boolean): void {
    for (const { topic, partition, topicId, position } of partitions) {
      const key = partitionKey({ topic, partition })
      const state = { paused: isPaused(key), resting: false, isDamaged: false }
      this.#reading.set(key, { topic, partition, topicId, offset: position, ...state })
    }
    this.#pump()
  }

  remove(partitions: readonly TopicPartition[]): void {
    for (const at of partitions) this.#reading.delete(partitionKey(at))
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const reading of this.#find(partitions)) reading.paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const reading of this.#find(partitions)) reading.paused = false
    this.#pump()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#reading.clear()
    await this.#options.fetcher.close()
  }

  /** Asks every idle leader for what its partitions have, unless they are paused. */
  #pump(): void {
    const wanted = [...this.#reading.values()].filter(isWanted)
    if (this.#isClosed || wanted.length === 0) return
    const { fetcher } = this.#options
    fetcher.leaders(wanted).then(
      (leaders) => {
        for (const [node, led] of leaders) this.#ask(node, led)
      },
      (error: unknown) => this.#failed(null, error),
    )
  }

  #ask(node: number, led: readonly FetchPosition[]): void {
    // Removed, or paused, while the leaders were looked up.
    const positions = led.flatMap((at) => this.#reading.get(partitionKey(at)) ?? [])
    const asked = positions.filter(isWanted)
    if (this.#isClosed || this.#busyNodes.has(node) || asked.length === 0) return
    this.#busyNodes.add(node)
    this.#options.fetcher.fetch(node, asked.map(copyOf)).then(
      (answers) => this.#received(node, asked, answers),
      (error: unknown) => this.#failed(node, error),
    )
  }

  #received(node: number, asked: readonly Reading[], answers: readonly PartitionFetch[]): void {
    this.#busyNodes.delete(node)
    this.#failures = 0
    for (const answer of answers) {
      const reading = this.#reading.get(partitionKey(answer))
      if (reading !== undefined && asked.includes(reading)) this.#take(reading, answer) // F1
    }
    // Kafka does not wait with an error, so we do.
    const isTroubled = answers.some(({ kind }) => kind === 'failed' || kind === 'moved')
    if (isTroubled) systemClock.after(reconnectDelayMsMin, () => this.#pump())
    // Timers, heartbeats and HTTP get their turn between two responses.
    else setImmediate(() => this.#pump())
  }

  #take(reading: Reading, answer: PartitionFetch): void {
    const { topic, partition } = reading
    const key = partitionKey(reading)
    switch (answer.kind) {
      case 'records':
        if (answer.nextOffset === reading.offset) return
        if (reading.isDamaged) this.#options.damaged({ topic, partition }, null)
        reading.isDamaged = false
        reading.offset = answer.nextOffset
        // Last in the map, so that the others come first in the next request.
        this.#reading.delete(key)
        this.#reading.set(key, reading)
        if (answer.records.length > 0) {
          this.#options.records({ topic, partition }, answer.records)
        }
        return
      case 'out-of-range':
        // Retention passed our place: the earliest that is left is nearest to it.
        reading.offset = answer.logStart
        return
      case 'damaged':
        this.#rest(reading)
        if (!reading.isDamaged) this.#options.damaged({ topic, partition }, answer)
        reading.isDamaged = true
        return
      case 'moved':
        this.#options.fetcher.forgetMetadata()
        return
      case 'gone':
        this.#options.gone(topic)
        return
      case 'failed':
        this.#options.failed(new Error(`fetching ${key} failed with Kafka's error ${answer.code}`))
        return
      default:
        answer satisfies never
    }
  }

  /** It may have been damaged on the way only, so it is asked for again, but not at once. */
  #rest(reading: Reading): void {
    reading.resting = true
    systemClock.after(damagedRetryMs, () => {
      reading.resting = false
      this.#pump()
    })
  }

  #failed(node: number | null, error: unknown): void {
    if (this.#isClosed) return
    this.#options.fetcher.forgetMetadata()
    this.#failures += 1
    if (this.#failures === 1) this.#options.failed(error)
    systemClock.after(reconnectMs(this.#failures), () => {
      if (node !== null) this.#busyNodes.delete(node)
      this.#pump()
    })
  }

  #find(partitions: readonly TopicPartition[]): Reading[] {
    return partitions.flatMap((at) => this.#reading.get(partitionKey(at)) ?? [])
  }
}

interface Reading extends TopicPartition {
  readonly topicId: string
  /** Where the next fetch begins. */
  offset: bigint
  paused: boolean
  /** Its next batch is damaged; it is tried again after a while. */
  resting: boolean
  isDamaged: boolean
}

function isWanted({ paused, resting }: Reading): boolean {
  return !paused && !resting
}

function copyOf({ topic, partition, topicId, offset }: Reading): FetchPosition {
  return { topic, partition, topicId, offset }
}
