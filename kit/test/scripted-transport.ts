import { readHeaders } from '../src/catalogue/event-headers.ts'
import { MillraceError } from '../src/errors.ts'
import type {
  ClusterDescription,
  Consumption,
  IncomingRecord,
  OutgoingRecord,
  PartitionLag,
  SendOutcome,
  TopicDescription,
  TopicPartition,
  TopicRequest,
  Transport,
} from '../src/transport/transport.ts'

/** What a test may do to a send: refuse it, lose it, or let it through. */
export type SendScript = (
  place: TopicPartition,
  records: readonly OutgoingRecord[],
  append: () => bigint,
) => Promise<SendOutcome> | SendOutcome

/** A cluster in memory whose answers a test writes. */
export class ScriptedTransport implements Transport {
  clusterId: string | null
  /** Each send as `topic/partition: values`, in the order in which they were begun. */
  readonly sends: string[] = []
  readonly inFlight = new Map<string, number>()
  inFlightMax = 0
  script: SendScript = (_place, _records, append) => ({ kind: 'sent', baseOffset: append() })
  /** Topics that it does not make. */
  readonly refusedTopics = new Set<string>()
  #partitions = new Map<string, number>()
  #logs = new Map<string, IncomingRecord[]>()

  constructor(clusterId: string | null = 'cluster-1') {
    this.clusterId = clusterId
  }

  /** The broker's data is gone; another cluster answers under the same address. */
  wipe(clusterId: string): void {
    this.clusterId = clusterId
    this.#logs = new Map()
    this.#partitions = new Map()
  }

  /** As an operator who adds partitions. */
  grow(topic: string, partitions: number): void {
    this.#partitions.set(topic, partitions)
  }

  /** What lies on a topic, as text, partition after partition. */
  valuesOn(topic: string): string[] {
    return [...this.#logs]
      .filter(([place]) => place.startsWith(`${topic}/`))
      .flatMap(([, records]) => records.map(textOf))
  }

  idsOn(topic: string): (string | undefined)[] {
    return [...this.#logs]
      .filter(([place]) => place.startsWith(`${topic}/`))
      .flatMap(([, records]) => records.map(({ headers }) => readHeaders(headers).id))
  }

  topics(): string[] {
    return [...this.#partitions.keys()]
  }

  async cluster(): Promise<ClusterDescription> {
    if (this.clusterId === null) throw new Error('no Kafka answers')
    return { clusterId: this.clusterId, brokers: [] }
  }

  async ensureTopics(requests: readonly TopicRequest[]): Promise<readonly TopicDescription[]> {
    if (this.clusterId === null) throw new Error('no Kafka answers')
    const refused = requests.find(({ topic }) => this.refusedTopics.has(topic))
    if (refused !== undefined) throw new MillraceError('topic-refused', `no "${refused.topic}"`)
    return requests.map(({ topic, partitions }) => {
      const known = this.#partitions.get(topic) ?? partitions
      this.#partitions.set(topic, known)
      return { topic, topicId: `${this.clusterId}-${topic}`, partitions: known }
    })
  }

  async send(place: TopicPartition, records: readonly OutgoingRecord[]): Promise<SendOutcome> {
    const name = nameOf(place)
    this.sends.push(`${name}: ${records.map(textOf).join(' ')}`)
    const inFlight = (this.inFlight.get(name) ?? 0) + 1
    this.inFlight.set(name, inFlight)
    this.inFlightMax = Math.max(this.inFlightMax, inFlight)
    try {
      return await this.script(place, records, () => this.append(place, records))
    } finally {
      this.inFlight.set(name, inFlight - 1)
    }
  }

  append(place: TopicPartition, records: readonly OutgoingRecord[]): bigint {
    const log = this.#logs.get(nameOf(place)) ?? []
    this.#logs.set(nameOf(place), log)
    const base = log.length
    log.push(
      ...records.map((record, index) => ({ ...record, ...place, offset: BigInt(base + index) })),
    )
    return BigInt(base)
  }

  consume(): Consumption {
    throw new Error('the script has no consumption')
  }

  async lag(_group: string, topics: readonly string[]): Promise<readonly PartitionLag[]> {
    return topics.flatMap((topic) =>
      Array.from({ length: this.#partitions.get(topic) ?? 0 }, (_, partition) => {
        const end = BigInt(this.#logs.get(nameOf({ topic, partition }))?.length ?? 0)
        return { topic, partition, committed: null, start: 0n, end, lag: end }
      }),
    )
  }

  async offsetsAt(places: readonly TopicPartition[], at: 'start' | 'end' | number) {
    return new Map(
      places.map((place) => {
        const log = this.#logs.get(nameOf(place)) ?? []
        const end = BigInt(log.length)
        if (at === 'start') return [nameOf(place), 0n]
        const found = at === 'end' ? undefined : log.find(({ timestampMs }) => timestampMs >= at)
        return [nameOf(place), found?.offset ?? end]
      }),
    )
  }

  async readFrom(place: TopicPartition, offset: bigint, recordsMax: number) {
    const log = this.#logs.get(nameOf(place)) ?? []
    return log.slice(Number(offset), Number(offset) + recordsMax)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

function textOf({ value }: OutgoingRecord): string {
  const parsed: unknown = value === null ? null : JSON.parse(new TextDecoder().decode(value))
  const isEvent = typeof parsed === 'object' && parsed !== null && 'payload' in parsed
  return String(isEvent ? parsed.payload : parsed)
}
