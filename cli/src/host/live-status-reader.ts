import {
  type AnyRunningService,
  KafkaInspector,
  type KafkaSettings,
  messageOf,
} from '@millrace/kit'
import type { LiveStatus, TopicsStatus } from '../start-page/live-status.ts'
import { healthOf } from './service-health.ts'

export interface LiveStatusOptions {
  readonly services: readonly AnyRunningService[]
  /** Null where Kafka is switched off. */
  readonly kafka: KafkaSettings | null
}

/**
 * Asks services and Kafka how they are, for the start page.
 *
 * R1. One round at a time: who asks meanwhile gets the answer of the round that runs.
 * R2. Nothing is asked, and no connection opened, unless somebody looks.
 */
export class LiveStatusReader implements AsyncDisposable {
  readonly #services: readonly AnyRunningService[]
  readonly #kafka: KafkaSettings | null
  #inspector: KafkaInspector | undefined
  #round: Promise<LiveStatus> | undefined

  constructor({ services, kafka }: LiveStatusOptions) {
    this.#services = services
    this.#kafka = kafka
  }

  read(): Promise<LiveStatus> {
    this.#round ??= this.#ask().finally(() => {
      this.#round = undefined // R1
    })
    return this.#round
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inspector?.[Symbol.asyncDispose]()
  }

  async #ask(): Promise<LiveStatus> {
    const [topics, reports] = await Promise.all([
      this.#topics(),
      Promise.all(this.#services.map(healthOf)),
    ])
    return {
      services: new Map(reports.map(({ name, health }) => [name, health])),
      deadLetters: reports.map(({ name, deadLetters }) => ({ service: name, count: deadLetters })),
      topics,
    }
  }

  async #topics(): Promise<TopicsStatus> {
    if (this.#kafka === null) {
      return { kind: 'unknown', reason: 'KAFKA_ENABLED is false: services keep their events.' }
    }
    try {
      this.#inspector ??= new KafkaInspector(this.#kafka)
      const summaries = await this.#inspector.topics(await this.#inspector.topicNames())
      return {
        kind: 'listed',
        topics: summaries.map(({ topic, ranges }) => ({
          topic,
          partitions: ranges.length,
          records: ranges.reduce((sum, { start, end }) => sum + (end - start), 0n),
        })),
      }
    } catch (error) {
      return { kind: 'unknown', reason: messageOf(error) }
    }
  }
}
