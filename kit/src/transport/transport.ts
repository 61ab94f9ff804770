/**
 * The only door to Kafka. `kafka.ts` opens it onto a cluster, `memory.ts` onto a cluster in
 * memory for tests; both pass the same conformance suite.
 */

export interface Header {
  readonly name: string
  readonly value: Uint8Array
}

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** `topic/partition`, for maps and messages. */
export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

/** A record as it goes to Kafka. */
export interface OutgoingRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly Header[]
  readonly timestampMs: number
}

/** A record as Kafka gave it. */
export interface IncomingRecord extends OutgoingRecord, TopicPartition {
  readonly offset: bigint
}

export interface TopicRequest {
  readonly topic: string
  readonly partitions: number
  /** Topic configuration in Kafka's words, for a topic that is made now. */
  readonly configs?: Readonly<Record<string, string>>
}

export interface TopicDescription {
  readonly topic: string
  /** Kafka's topic id (KIP-516): a topic made again under its old name has a new one. */
  readonly topicId: string
  readonly partitions: number
}

/** What became of a batch sent to one partition. */
export type SendOutcome =
  | { readonly kind: 'sent'; readonly baseOffset: bigint }
  /** Kafka will never take it as it is: too large, not authorised, unknown topic. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** Nobody knows, or not now: to be tried again. It may be on the topic already. */
  | { readonly kind: 'unavailable'; readonly code: string; readonly message: string }

export type CommitOutcome =
  | { readonly kind: 'committed' }
  /** Some of these partitions may belong to another member now; what is ours is committed. */
  | { readonly kind: 'fenced'; readonly code: string }
  | { readonly kind: 'unavailable'; readonly code: string; readonly message: string }

export interface ConsumeOptions {
  readonly group: string
  /** Static membership (KIP-345): a restart within the session takes its partitions back. */
  readonly instanceId: string
  readonly topics: readonly string[]
  /**
   * The stream of each topic: of topics of one stream with as many partitions, one member has the
   * same numbers of all (P4). A topic that is missing is a stream of its own.
   */
  readonly streams?: ReadonlyMap<string, string>
  readonly listener: ConsumerListener
}

/** What keeps a topic of a consumption from being read as it should. */
export interface TopicTrouble {
  readonly topic: string
  readonly kind: 'refused' | 'partitions-differ' | 'damaged'
  /** What, which and what now. */
  readonly message: string
}

/** A partition with the identity of its log, by which a record without an id is known (P3). */
export interface AssignedPartition extends TopicPartition {
  readonly clusterId: string
  readonly topicId: string
  /** Where reading starts: the group's committed offset, or the earliest where it has none. */
  readonly position: bigint
  /** What was committed with that offset; empty where nothing was. Any tool may have written it. */
  readonly metadata: string
  /** Of the group when it gave us the partition. A group that was deleted begins again at 1. */
  readonly generation: number
}

/** The *next* offset to read of a partition, as it is committed. */
export interface CommitPosition extends TopicPartition {
  readonly offset: bigint
  /** Kept beside the offset, at most `commitMetadataBytesMax` bytes. Default: empty. */
  readonly metadata?: string
}

/**
 * What a consumption tells its owner. What a call returns is awaited before the next, except that
 * `lost`, `failed` and `troubled` may come at any time.
 */
export interface ConsumerListener {
  /**
   * These partitions are ours from now on, beside those that are already. Nothing is fetched of
   * them before the promise resolves; where it rejects, the consumption begins its session anew.
   */
  assigned(partitions: readonly AssignedPartition[]): Promise<void>
  /** Records of one partition, in offset order. A partition that is not ours never appears. */
  records(partition: TopicPartition, records: readonly IncomingRecord[]): void
  /**
   * These partitions are about to leave us: finish what runs, commit, and return. All others go
   * on meanwhile. Nobody waits longer than `revokeMsMax`; then they are `lost`.
   */
  revoked(partitions: readonly TopicPartition[]): Promise<void>
  /**
   * These partitions may be another's already: what runs is to be aborted, and nothing of them
   * can be committed any more.
   */
  lost(partitions: readonly TopicPartition[]): void
  /** All topics that are in trouble now; the others are read. Called when that changes. */
  troubled(troubles: readonly TopicTrouble[]): void
  /** The connection or the group is in trouble; the transport goes on trying by itself. */
  failed(error: Error): void
}

export interface Consumption {
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /**
   * Never moves an offset backwards. The same offset with other metadata is committed, and so is
   * a later one without: what is kept is always what came last.
   */
  commit(positions: readonly CommitPosition[]): Promise<CommitOutcome>
  /** Gives everything back and joins the group anew: what we have may be another's. */
  restart(reason: string): void
  /** Ends fetching. With static membership the group keeps our place until the session ends. */
  stop(): Promise<void>
}

export interface PartitionLag extends TopicPartition {
  /** Null where the group has committed nothing yet. */
  readonly committed: bigint | null
  /** The first record that retention has left. */
  readonly start: bigint
  readonly end: bigint
  /** Records that the group has not passed yet. */
  readonly lag: bigint
}

export interface ClusterDescription {
  readonly clusterId: string
  readonly brokers: readonly {
    readonly nodeId: number
    readonly host: string
    readonly port: number
  }[]
}

export interface Transport extends AsyncDisposable {
  cluster(): Promise<ClusterDescription>
  /**
   * Makes the topics that are missing; describes all. An existing one keeps its partitions.
   * Throws `topic-refused` where Kafka does not make or describe one of them.
   */
  ensureTopics(topics: readonly TopicRequest[]): Promise<readonly TopicDescription[]>
  /**
   * Appends records to one partition, in order, acks=all, with the idempotent producer. The
   * caller keeps one send in flight per partition; sends to different partitions overlap.
   */
  send(partition: TopicPartition, records: readonly OutgoingRecord[]): Promise<SendOutcome>
  consume(options: ConsumeOptions): Consumption
  lag(group: string, topics: readonly string[]): Promise<readonly PartitionLag[]>
  /**
   * By `partitionKey`: where each partition starts or ends, or the offset of its first record of
   * that time or later, in milliseconds since 1970, which is its end where there is none.
   */
  offsetsAt(
    partitions: readonly TopicPartition[],
    at: 'start' | 'end' | number,
  ): Promise<ReadonlyMap<string, bigint>>
  /**
   * The records of a partition from `offset` on, or from the earliest that is left, without a
   * group: at most `recordsMax`, and fewer only at the end. The relay uses it to see what of an
   * interrupted send had arrived. Throws `kafka-unavailable`.
   */
  readFrom(
    partition: TopicPartition,
    offset: bigint,
    recordsMax: number,
  ): Promise<readonly IncomingRecord[]>
}
