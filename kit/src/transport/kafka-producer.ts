import { ProduceAcks, Producer } from '@platformatic/kafka'
import { messageOf } from '../errors.ts'
import { produceRetriesMax, produceRetryDelayMs } from '../limits.ts'
import { clientOptions } from './kafka-client.ts'
import { codeOf, isUnknownTopic } from './kafka-errors.ts'
import type { KafkaSettings } from './kafka-settings.ts'
import type { Header, OutgoingRecord, SendOutcome, TopicPartition } from './transport.ts'

/** What Kafka will say of the same record every time. */
const refusals = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
])

/**
 * Appends batches, acks=all, idempotent. The client repeats a batch under its own sequence
 * number, which Kafka recognises; after its last attempt it takes a new producer id, so from
 * then on a repetition would be a duplicate: the outcome `unavailable` says that nobody knows.
 */
export class KafkaProducer {
  readonly #producer: Producer

  constructor(settings: KafkaSettings) {
    this.#producer = new Producer({
      ...clientOptions(settings),
      acks: ProduceAcks.ALL,
      idempotent: true,
      retries: produceRetriesMax,
      retryDelay: produceRetryDelayMs,
    })
  }

  async send(at: TopicPartition, records: readonly OutgoingRecord[]): Promise<SendOutcome> {
    const { topic, partition } = at
    try {
      const metadata = await this.#producer.metadata({ topics: [topic] })
      const count = metadata.topics.get(topic)?.partitionsCount ?? 0
      // The client would wrap the number round, and write to a partition that nobody asked for.
      if (partition >= count) return noSuchPartition(at, count)
      const messages = records.map((record) => messageFrom(record, at))
      const { offsets } = await this.#producer.send({ messages, acks: ProduceAcks.ALL })
      const sent = offsets?.find((offset) => offset.partition === partition)
      return sent === undefined
        ? { kind: 'unavailable', code: 'NO_OFFSET', message: `${topic} answered without offset` }
        : { kind: 'sent', baseOffset: sent.offset }
    } catch (error) {
      return outcomeOf(error, topic)
    }
  }

  forgetMetadata(): void {
    this.#producer.clearMetadata()
  }

  async close(): Promise<void> {
    await this.#producer.close(true)
  }
}

function messageFrom(record: OutgoingRecord, { topic, partition }: TopicPartition) {
  return {
    topic,
    partition,
    ...(record.key === null ? {} : { key: Buffer.from(record.key) }),
    ...(record.value === null ? {} : { value: Buffer.from(record.value) }),
    headers: headersFrom(record.headers),
    timestamp: BigInt(record.timestampMs),
  }
}

/** A map by buffer, not by name, so that a name may come twice as Kafka allows. */
function headersFrom(headers: readonly Header[]): Map<Buffer, Buffer> {
  return new Map(headers.map(({ name, value }) => [Buffer.from(name), Buffer.from(value)]))
}

function noSuchPartition({ topic, partition }: TopicPartition, count: number): SendOutcome {
  return {
    kind: 'refused',
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
    message: `topic "${topic}" has no partition ${partition} (it has 0–${count - 1})`,
  }
}

function outcomeOf(error: unknown, topic: string): SendOutcome {
  if (isUnknownTopic(error)) {
    const message = `topic "${topic}" does not exist`
    return { kind: 'refused', code: 'UNKNOWN_TOPIC_OR_PARTITION', message }
  }
  const code = codeOf(error)
  const message = `topic "${topic}": ${messageOf(error)}`
  return { kind: refusals.has(code) ? 'refused' : 'unavailable', code, message }
}
