import type { IncomingRecord } from '@millrace/kit'
import { readHeaders } from '@millrace/kit/inside'
import type { ServiceState } from './service-state.ts'
import type { Verdict } from './verdict.ts'

interface Said {
  readonly service: string
  readonly topic: string
  readonly key: string | null
  /** Its place among the events of its key that its service said on its topic. */
  readonly place: number
}

/** The events of one key on one topic, in the order of the topic. */
interface KeyOrder {
  readonly ids: string[]
  readonly places: Map<string, number>
}

const decoder = new TextDecoder()

/**
 * What was said, by what is committed in the outboxes, and what Kafka got of it.
 *
 * P1. A record of a service is on a topic only if its transaction has committed.
 * P2. Records of one key come first in the order in which they were committed.
 */
export class SaidLedger {
  readonly #verdict: Verdict
  readonly #said = new Map<string, Said>()
  readonly #counts = new Map<string, number>()
  /** Of each key, how many of its events this cluster has. */
  #sent = new Map<string, number>()
  #onTopic = new Set<string>()
  readonly #orders = new Map<string, KeyOrder>()
  readonly #sources: ReadonlySet<string>
  #isFirstCluster = true

  constructor(verdict: Verdict, sources: ReadonlySet<string>) {
    this.#verdict = verdict
    this.#sources = sources
  }

  /** Events that are on a topic, or were. */
  get ids(): ReadonlySet<string> {
    return this.#onTopic
  }

  /** False for a record of a program that is not simulated. */
  isSimulated(id: string): boolean {
    return this.#said.has(id)
  }

  committed(state: ServiceState): void {
    for (const { event_id: id, topic, key } of state.said()) {
      const line = `${state.name} ${topic} ${key ?? id}`
      const place = this.#counts.get(line) ?? 0
      this.#counts.set(line, place + 1)
      this.#said.set(id, { service: state.name, topic, key, place })
    }
  }

  appended(record: IncomingRecord): void {
    const { id, source } = readHeaders(record.headers)
    if (id === undefined || record.topic.startsWith('millrace.')) return
    const said = this.#said.get(id)
    if (said === undefined && source !== undefined && this.#sources.has(source)) {
      this.#verdict.violated('P1', `${id} of ${source} is on ${record.topic}, but never committed`)
    }
    if (said !== undefined && !this.#onTopic.has(id)) this.#inOrder(id, said)
    this.#onTopic.add(id)
    if (record.key !== null) this.#follow(`${record.topic} ${decoder.decode(record.key)}`, id)
  }

  /** Nothing is on any topic any more. */
  wiped(): void {
    this.#isFirstCluster = false
    this.#sent = new Map()
    this.#onTopic = new Set()
  }

  /** What of a key stands before an event on its topic; null where that is not known. */
  before(topic: string, key: string, id: string): readonly string[] | null {
    const order = this.#orders.get(`${topic} ${key}`)
    const place = order?.places.get(id)
    return order === undefined || place === undefined ? null : order.ids.slice(0, place)
  }

  /** P2. */
  #inOrder(id: string, { service, topic, key, place }: Said): void {
    const line = `${service} ${topic} ${key ?? id}`
    const expected = this.#sent.get(line) ?? 0
    const isNext = this.#isFirstCluster ? place === expected : place >= expected
    if (!isNext) {
      this.#verdict.violated(
        'P2',
        `${id} is number ${place + 1} of the key "${key}" that ${service} committed, ` +
          `but Kafka has it on ${topic} in place of number ${expected + 1}`,
      )
    }
    this.#sent.set(line, place + 1)
  }

  #follow(line: string, id: string): void {
    const order = this.#orders.get(line) ?? { ids: [], places: new Map<string, number>() }
    this.#orders.set(line, order)
    if (order.places.has(id)) return
    order.places.set(id, order.ids.length)
    order.ids.push(id)
  }
}
