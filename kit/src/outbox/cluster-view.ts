import type { Clock } from '../clock.ts'
import { MillraceError, messageOf } from '../errors.ts'
import { clusterAwayMs, clusterIdFreshMs, topicsFreshMs } from '../limits.ts'
import type { TopicDescription, TopicRequest, Transport } from '../transport/transport.ts'

/** What the relay knows of the cluster it talks to. */
export type Cluster =
  | {
      readonly kind: 'met'
      readonly clusterId: string
      /** Partitions by topic. */
      readonly partitions: ReadonlyMap<string, number>
      /** Why a topic is not among them: Kafka does not make or describe it. */
      readonly refused: ReadonlyMap<string, string>
    }
  | { readonly kind: 'away'; readonly reason: string }

/**
 * Which cluster answers, and how many partitions its topics have. It makes the catalogue's
 * topics on each cluster that it meets.
 *
 * V1. What `meet` gives is no older than `clusterIdFreshMs`; a Kafka that is away is asked again
 *     only after `clusterAwayMs`, however often the outbox is written meanwhile.
 * V2. Concurrent calls of `meet` ask once.
 * V3. A topic that Kafka refuses to make keeps no other from being used.
 */
export class ClusterView {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #topics = new Map<string, TopicRequest>()
  #cluster: Cluster = { kind: 'away', reason: 'Kafka has not been asked yet' }
  #askedAtMs = Number.NEGATIVE_INFINITY
  #topicsAtMs = Number.NEGATIVE_INFINITY
  #meeting: Promise<Cluster> | null = null

  constructor(transport: Transport, topics: readonly TopicRequest[], clock: Clock) {
    this.#transport = transport
    this.#clock = clock
    for (const request of topics) this.#topics.set(request.topic, request)
  }

  /** The last answer, however old. */
  get last(): Cluster {
    return this.#cluster
  }

  meet(): Promise<Cluster> {
    const ageMs = this.#clock.nowMs() - this.#askedAtMs
    const freshMs = this.#cluster.kind === 'met' ? clusterIdFreshMs : clusterAwayMs
    if (ageMs < freshMs) return Promise.resolve(this.#cluster) // V1
    this.#meeting ??= this.#ask().finally(() => {
      this.#meeting = null
    })
    return this.#meeting
  }

  /** Asks again next time: something failed, so that the cluster may be another. */
  forget(): void {
    this.#askedAtMs = Number.NEGATIVE_INFINITY
    this.#topicsAtMs = Number.NEGATIVE_INFINITY
  }

  /** Adds a topic that the outbox has and the catalogue has not. True if it is new. */
  add(request: TopicRequest): boolean {
    if (this.#topics.has(request.topic)) return false
    this.#topics.set(request.topic, request)
    this.forget()
    return true
  }

  async #ask(): Promise<Cluster> {
    const nowMs = this.#clock.nowMs()
    try {
      const { clusterId } = await this.#transport.cluster()
      const known = this.#cluster.kind === 'met' ? this.#cluster : null
      const isFresh = nowMs - this.#topicsAtMs < topicsFreshMs && known?.clusterId === clusterId
      const topics = isFresh ? known : await this.#describeTopics(nowMs)
      const { partitions, refused } = topics
      this.#cluster = { kind: 'met', clusterId, partitions, refused }
    } catch (error) {
      this.#topicsAtMs = Number.NEGATIVE_INFINITY
      this.#cluster = { kind: 'away', reason: messageOf(error) }
    }
    this.#askedAtMs = this.#clock.nowMs()
    return this.#cluster
  }

  async #describeTopics(nowMs: number): Promise<Topics> {
    const requests = [...this.#topics.values()]
    let described: Topics
    try {
      const descriptions = await this.#transport.ensureTopics(requests)
      described = { partitions: partitionsOf(descriptions), refused: new Map() }
    } catch (error) {
      if (!isRefusal(error)) throw error
      described = await this.#describeEach(requests) // V3
    }
    this.#topicsAtMs = nowMs
    return described
  }

  async #describeEach(requests: readonly TopicRequest[]): Promise<Topics> {
    const descriptions: TopicDescription[] = []
    const refused = new Map<string, string>()
    for (const request of requests) {
      try {
        descriptions.push(...(await this.#transport.ensureTopics([request])))
      } catch (error) {
        if (!isRefusal(error)) throw error
        refused.set(request.topic, messageOf(error))
      }
    }
    return { partitions: partitionsOf(descriptions), refused }
  }
}

type Topics = Pick<Extract<Cluster, { readonly kind: 'met' }>, 'partitions' | 'refused'>

function partitionsOf(descriptions: readonly TopicDescription[]): ReadonlyMap<string, number> {
  return new Map(descriptions.map(({ topic, partitions }) => [topic, partitions]))
}

function isRefusal(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'topic-refused'
}
