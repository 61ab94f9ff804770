import type {
  AssignedPartition,
  ConsumerListener,
  IncomingRecord,
  OutgoingRecord,
  TopicPartition,
  TopicTrouble,
} from '@millrace/kit'

/** A record with a text as its value, for tests in which nothing else matters. */
export function recordOf(value: string, key: string | null = null): OutgoingRecord {
  return {
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(value),
    headers: [],
    timestampMs: 1_700_000_000_000,
  }
}

export function textOf({ value }: OutgoingRecord): string {
  return Buffer.from(value ?? []).toString()
}

/** Remembers all that a consumption tells, and waits for what a test expects. */
export class RecordingListener implements ConsumerListener {
  readonly assignments: (readonly AssignedPartition[])[] = []
  readonly received: IncomingRecord[] = []
  readonly failures: Error[] = []
  readonly losses: (readonly TopicPartition[])[] = []
  troubles: readonly TopicTrouble[] = []
  readonly #owned = new Map<string, AssignedPartition>()
  onAssigned: (partitions: readonly AssignedPartition[]) => void = () => {}
  onRevoked: (partitions: readonly TopicPartition[]) => Promise<void> = async () => {}
  readonly #waiting = new Set<() => void>()

  /** The texts received, of one partition or of all, as they came. */
  values(partition?: number): readonly string[] {
    return this.received
      .filter((record) => partition === undefined || record.partition === partition)
      .map(textOf)
  }

  /** What is ours now, by topic and number. */
  get owned(): readonly AssignedPartition[] {
    return [...this.#owned.values()].sort((a, b) =>
      a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1,
    )
  }

  /** Resolves as soon as `reached` holds; a test's own time limit ends one that never does. */
  until(reached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!reached()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  async assigned(partitions: readonly AssignedPartition[]): Promise<void> {
    this.assignments.push(partitions)
    for (const at of partitions) this.#owned.set(`${at.topic}/${at.partition}`, at)
    this.onAssigned(partitions)
    this.#changed()
  }

  records(_partition: TopicPartition, records: readonly IncomingRecord[]): void {
    this.received.push(...records)
    this.#changed()
  }

  async revoked(partitions: readonly TopicPartition[]): Promise<void> {
    await this.onRevoked(partitions)
    this.#forget(partitions)
  }

  lost(partitions: readonly TopicPartition[]): void {
    this.losses.push(partitions)
    this.#forget(partitions)
  }

  troubled(troubles: readonly TopicTrouble[]): void {
    this.troubles = troubles
    this.#changed()
  }

  failed(error: Error): void {
    this.failures.push(error)
    this.#changed()
  }

  #forget(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#owned.delete(`${topic}/${partition}`)
    this.#changed()
  }

  #changed(): void {
    for (const look of this.#waiting) look()
  }
}
