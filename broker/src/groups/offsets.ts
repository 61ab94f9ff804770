// How far one group has read.
//
// O1. Offsets change by `apply` and by nothing else, live and on restart.
// O2. An offset goes only when it is `forgotten`: its topic was deleted, it is past its retention,
//     or its group was deleted.

export interface CommittedOffset {
  readonly offset: bigint
  /** -1 where the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string | null
  /** In milliseconds since the epoch. */
  readonly committedAtMs: number
}

export interface PartitionCommit {
  readonly partition: number
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string | null
}

export interface TopicCommits {
  readonly name: string
  readonly partitions: readonly PartitionCommit[]
}

export interface TopicPartitions {
  readonly name: string
  readonly partitions: readonly number[]
}

export type OffsetRecord =
  | {
      readonly kind: 'committed'
      readonly groupId: string
      readonly atMs: number
      readonly topics: readonly TopicCommits[]
    }
  | {
      readonly kind: 'forgotten'
      readonly groupId: string
      readonly topics: readonly TopicPartitions[]
    }

export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()

  get isEmpty(): boolean {
    return this.#topics.size === 0
  }

  apply(record: OffsetRecord): void {
    if (record.kind === 'committed') this.#commit(record.topics, record.atMs)
    else this.#forget(record.topics)
  }

  of(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  /** Every partition for which there is an offset. */
  get all(): readonly TopicPartitions[] {
    return this.#where(() => true)
  }

  /** What was committed for one topic. */
  ofTopic(name: string): readonly TopicPartitions[] {
    return this.all.filter((topic) => topic.name === name)
  }

  /** What was last committed before that time. */
  before(timeMs: number): readonly TopicPartitions[] {
    return this.#where(({ committedAtMs }) => committedAtMs < timeMs)
  }

  /** Records from which `apply` makes these offsets anew. */
  *snapshot(groupId: string): Generator<OffsetRecord> {
    for (const [name, partitions] of this.#topics) {
      for (const [partition, { committedAtMs, ...committed }] of partitions) {
        const topics = [{ name, partitions: [{ partition, ...committed }] }]
        yield { kind: 'committed', groupId, atMs: committedAtMs, topics }
      }
    }
  }

  #where(matches: (committed: CommittedOffset) => boolean): TopicPartitions[] {
    return [...this.#topics].flatMap(([name, offsets]) => {
      const partitions = [...offsets].flatMap(([partition, committed]) =>
        matches(committed) ? [partition] : [],
      )
      return partitions.length > 0 ? [{ name, partitions }] : []
    })
  }

  #commit(topics: readonly TopicCommits[], atMs: number): void {
    for (const { name, partitions } of topics) {
      const offsets = this.#topics.get(name) ?? new Map<number, CommittedOffset>()
      this.#topics.set(name, offsets)
      for (const { partition, offset, leaderEpoch, metadata } of partitions) {
        offsets.set(partition, { offset, leaderEpoch, metadata, committedAtMs: atMs })
      }
    }
  }

  #forget(topics: readonly TopicPartitions[]): void {
    for (const { name, partitions } of topics) {
      const offsets = this.#topics.get(name)
      for (const partition of partitions) offsets?.delete(partition)
      if (offsets?.size === 0) this.#topics.delete(name)
    }
  }
}
