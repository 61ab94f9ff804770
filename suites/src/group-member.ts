import type {
  AssignedPartition,
  ConsumerListener,
  Consumption,
  IncomingRecord,
  TopicPartition,
  Transport,
} from '@millrace/kit'
import { partitionKey } from '@millrace/kit'
import { textOf } from './recording-listener.ts'

/** One event as it was handled: its value, and by whom. */
export interface Handled {
  readonly value: string
  readonly place: string
  readonly member: string
}

/** What all members of a group did, and who is at work on which partition now. */
export class GroupLog {
  readonly handled: Handled[] = []
  /** Two members that were at work on one partition at the same time. */
  readonly clashes: string[] = []
  readonly #busy = new Map<string, string>()

  begin(place: string, member: string): void {
    const other = this.#busy.get(place)
    if (other !== undefined && other !== member) this.clashes.push(`${place}: ${other}, ${member}`)
    this.#busy.set(place, member)
  }

  end(handled: Handled): void {
    this.handled.push(handled)
    if (this.#busy.get(handled.place) === handled.member) this.#busy.delete(handled.place)
  }
}

/**
 * A member of a group that handles records slowly, partition by partition, as the kit's consumer
 * does: it finishes and commits what leaves it, and drops what is lost.
 */
export class GroupMember implements ConsumerListener, AsyncDisposable {
  readonly #name: string
  readonly #log: GroupLog
  readonly #work = new Map<string, Work>()
  readonly #consumption: Consumption

  constructor(transport: Transport, name: string, options: GroupMemberOptions) {
    this.#name = name
    this.#log = options.log
    const { group, topics } = options
    this.#consumption = transport.consume({ group, instanceId: name, topics, listener: this })
  }

  get owned(): number {
    return this.#work.size
  }

  async assigned(partitions: readonly AssignedPartition[]): Promise<void> {
    for (const at of partitions) {
      const { topic, partition, position } = at
      const work = { at: { topic, partition }, next: position, isOver: false }
      this.#work.set(partitionKey(at), { ...work, chain: Promise.resolve() })
    }
  }

  records(at: TopicPartition, records: readonly IncomingRecord[]): void {
    const work = this.#work.get(partitionKey(at))
    if (work === undefined) return
    for (const record of records) work.chain = work.chain.then(() => this.#handle(work, record))
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const leaving = this.#take(partitions)
    for (const work of leaving) work.isOver = true
    await Promise.all(leaving.map(({ chain }) => chain))
    await this.#consumption.commit(leaving.map(({ at, next }) => ({ ...at, offset: next })))
  }

  lost(partitions: readonly TopicPartition[]): void {
    for (const work of this.#take(partitions)) work.isOver = true
  }

  troubled(): void {}

  failed(): void {}

  /** Finishes, commits, and goes without a word, as a service that is stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.revoked([...this.#work.values()].map(({ at }) => at))
    await this.#consumption.stop()
  }

  async #handle(work: Work, record: IncomingRecord): Promise<void> {
    if (work.isOver || record.offset < work.next) return
    const place = partitionKey(work.at)
    this.#log.begin(place, this.#name)
    await new Promise((resolve) => setTimeout(resolve, 1))
    work.next = record.offset + 1n
    this.#log.end({ value: textOf(record), place, member: this.#name })
  }

  #take(partitions: readonly TopicPartition[]): Work[] {
    return partitions.flatMap((at) => {
      const work = this.#work.get(partitionKey(at))
      this.#work.delete(partitionKey(at))
      return work ?? []
    })
  }
}

export interface GroupMemberOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly log: GroupLog
}

interface Work {
  readonly at: TopicPartition
  next: bigint
  isOver: boolean
  chain: Promise<void>
}
