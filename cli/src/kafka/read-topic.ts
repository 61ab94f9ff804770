import type { FetchPosition, IncomingRecord, PartitionFetch, PartitionRange } from '@millrace/kit'
import { CommandFailure } from '../failure.ts'

/** What is needed of a Kafka to read a topic; `KafkaInspector` is one. */
export interface TopicReader {
  fetch(positions: readonly FetchPosition[]): Promise<readonly PartitionFetch[]>
}

/** A topic's partitions, each from `start` to below `end`. */
export interface TopicSlice {
  readonly topicId: string
  readonly ranges: readonly PartitionRange[]
}

/**
 * The records of a slice in the order of their timestamps, and in each partition in the order of
 * its offsets. Holds about one answer of each partition in memory, whatever the topic's size.
 */
export async function* readSlice(
  reader: TopicReader,
  { topicId, ranges }: TopicSlice,
): AsyncGenerator<IncomingRecord> {
  let open = ranges.map((range) => new Partition(range, topicId)).filter((one) => !one.isDone)
  while (open.length > 0) {
    const thirsty = open.filter(({ head }) => head === undefined)
    if (thirsty.length > 0) {
      await fetchInto(reader, thirsty)
    } else {
      const next = earliest(open)
      const record = next?.take()
      if (record) yield record
    }
    open = open.filter((one) => !one.isDone)
  }
}

/**
 * The records from the slice's end on, as they arrive, until the signal fires. In each partition
 * they come in the order of its offsets.
 */
export async function* followSlice(
  reader: TopicReader,
  { topicId, ranges }: TopicSlice,
  signal: AbortSignal,
): AsyncGenerator<IncomingRecord> {
  const open = ranges.map(
    (range) => new Partition({ ...range, start: range.end, end: endless }, topicId),
  )
  while (!signal.aborted) {
    await fetchInto(reader, open)
    for (const partition of open) {
      for (let record = partition.take(); record; record = partition.take()) yield record
    }
  }
}

/** Past every offset. */
const endless = 2n ** 63n

async function fetchInto(reader: TopicReader, partitions: readonly Partition[]): Promise<void> {
  const answers = await reader.fetch(partitions.map(({ position }) => position))
  for (const answer of answers) {
    const partition = partitions.find(({ position }) => position.partition === answer.partition)
    partition?.accept(answer)
  }
}

function earliest(partitions: readonly Partition[]): Partition | undefined {
  let best: Partition | undefined
  for (const partition of partitions) {
    const bestMs = best?.head?.timestampMs ?? Number.POSITIVE_INFINITY
    if ((partition.head?.timestampMs ?? Number.POSITIVE_INFINITY) < bestMs) best = partition
  }
  return best ?? partitions[0]
}

/** How far one partition was read, and what of it was not yet given away. */
class Partition {
  readonly #topic: string
  readonly #topicId: string
  readonly #partition: number
  readonly #end: bigint
  #next: bigint
  #records: readonly IncomingRecord[] = []
  #taken = 0

  constructor({ topic, partition, start, end }: PartitionRange, topicId: string) {
    this.#topic = topic
    this.#topicId = topicId
    this.#partition = partition
    this.#next = start
    this.#end = end
  }

  get head(): IncomingRecord | undefined {
    return this.#records[this.#taken]
  }

  get isDone(): boolean {
    return this.head === undefined && this.#next >= this.#end
  }

  get position(): FetchPosition {
    return {
      topic: this.#topic,
      topicId: this.#topicId,
      partition: this.#partition,
      offset: this.#next,
    }
  }

  take(): IncomingRecord | undefined {
    const record = this.head
    this.#taken += 1
    return record
  }

  accept(answer: PartitionFetch): void {
    const name = `partition ${this.#partition} of topic "${this.#topic}"`
    switch (answer.kind) {
      case 'records':
        this.#records = answer.records.filter(({ offset }) => offset < this.#end)
        this.#taken = 0
        this.#next = answer.nextOffset
        return
      case 'out-of-range':
        // Retention has removed the beginning meanwhile.
        if (answer.logStart <= this.#next) {
          throw new CommandFailure(`${name} was cut short while it was read; try again`)
        }
        this.#next = answer.logStart
        return
      case 'moved':
        return
      case 'gone':
        throw new CommandFailure(`topic "${this.#topic}" was deleted while it was read`)
      case 'damaged':
        throw new CommandFailure(
          `${name} has a damaged batch at offset ${answer.offset}: ${answer.reason}`,
        )
      case 'failed':
        throw new CommandFailure(`Kafka answers error ${answer.code} for ${name}`)
      default:
        answer satisfies never
    }
  }
}
