import { KafkaAdmin } from './kafka-admin.ts'
import { KafkaConsumption } from './kafka-consumption.ts'
import { explain } from './kafka-errors.ts'
import { KafkaFetcher } from './kafka-fetcher.ts'
import { KafkaProducer } from './kafka-producer.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import type {
  ConsumeOptions,
  Consumption,
  IncomingRecord,
  OutgoingRecord,
  SendOutcome,
  TopicPartition,
  TopicRequest,
  Transport,
} from './transport.ts'

/**
 * Opens the door to a cluster that speaks Kafka's protocol: Apache Kafka from 2.7 on, or the
 * embedded broker. Connects at first use; a Kafka that is away is told by each call's error, and
 * waited for by `consume`.
 */
export function openKafka(settings: KafkaSettings): Transport {
  return new KafkaTransport(settings)
}

class KafkaTransport implements Transport {
  readonly #settings: KafkaSettings
  readonly #admin: KafkaAdmin
  readonly #producer: KafkaProducer
  readonly #reader: KafkaFetcher
  readonly #consumptions = new Set<Consumption>()

  constructor(settings: KafkaSettings) {
    this.#settings = settings
    this.#admin = new KafkaAdmin(settings)
    this.#producer = new KafkaProducer(settings)
    this.#reader = new KafkaFetcher(this.#admin.client, settings)
  }

  cluster() {
    return this.#admin.cluster()
  }

  ensureTopics(topics: readonly TopicRequest[]) {
    return this.#admin.ensureTopics(topics)
  }

  offsetsAt(partitions: readonly TopicPartition[], at: 'start' | 'end' | number) {
    return this.#admin.offsetsAt(partitions, at)
  }

  lag(group: string, topics: readonly string[]) {
    return this.#admin.lag(group, topics)
  }

  async send(at: TopicPartition, records: readonly OutgoingRecord[]): Promise<SendOutcome> {
    const outcome = await this.#producer.send(at, records)
    const isGone = outcome.kind === 'refused' && outcome.code === 'UNKNOWN_TOPIC_OR_PARTITION'
    if (!isGone || !this.#admin.isRequested(at.topic)) return outcome
    // A topic that we asked for is gone: its broker was wiped. Nothing of the batch was taken.
    try {
      await this.#admin.restoreTopics([at.topic])
    } catch {
      return outcome
    }
    this.#producer.forgetMetadata()
    return this.#producer.send(at, records)
  }

  consume(options: ConsumeOptions): Consumption {
    const consumption = new KafkaConsumption(this.#settings, this.#admin, options)
    this.#consumptions.add(consumption)
    return consumption
  }

  async readFrom(
    at: TopicPartition,
    offset: bigint,
    recordsMax: number,
  ): Promise<readonly IncomingRecord[]> {
    try {
      return await this.#readFrom(at, offset, recordsMax)
    } catch (error) {
      this.#reader.forgetMetadata()
      throw await explain(error, this.#settings)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#consumptions].map((consumption) => consumption.stop()))
    await this.#reader.close()
    await this.#producer.close()
    await this.#admin.close()
  }

  async #readFrom(
    { topic, partition }: TopicPartition,
    from: bigint,
    recordsMax: number,
  ): Promise<readonly IncomingRecord[]> {
    const found: IncomingRecord[] = []
    const [description] = await this.#admin.describe([topic])
    const end = await this.#admin.endOffset({ topic, partition })
    let offset = from
    while (offset < end && found.length < recordsMax) {
      const position = { topic, partition, topicId: description?.topicId ?? '', offset }
      const [leader] = await this.#reader.leaders([position])
      if (leader === undefined) break
      const [answer] = await this.#reader.fetch(leader[0], [position])
      switch (answer?.kind) {
        case 'records':
          found.push(...answer.records)
          // A fetch outlasts its wait only at the end of what may be read.
          if (answer.nextOffset === offset) return found
          offset = answer.nextOffset
          break
        case 'out-of-range':
          // Below the log's start we read on from it; beyond its end there is nothing.
          if (answer.logStart <= offset) return found
          offset = answer.logStart
          break
        default:
          throw new Error(`reading ${topic}/${partition} ended with "${answer?.kind}"`)
      }
    }
    return found.slice(0, recordsMax)
  }
}
