// Records of several partitions as they were said: in each partition in the order of its offsets,
// and among the partitions by time. One read of each partition is in memory.

import { replayReadMax } from '../limits.ts'
import type { IncomingRecord, Transport } from '../transport/transport.ts'
import type { ReplayRange } from './replay-range.ts'

export interface MergedRecord {
  readonly record: IncomingRecord
  readonly topicId: string
}

export async function* mergedRecords(
  transport: Pick<Transport, 'readFrom'>,
  ranges: readonly ReplayRange[],
): AsyncGenerator<MergedRecord> {
  let open = ranges.map((range) => new PartitionRead(transport, range))
  for (;;) {
    for (const partition of open) await partition.fill()
    open = open.filter(({ head }) => head !== undefined)
    const [first, ...others] = open
    if (first === undefined) return
    const earliest = others.reduce((one, other) => (other.headMs < one.headMs ? other : one), first)
    const record = earliest.take()
    if (record !== undefined) yield { record, topicId: earliest.topicId }
  }
}

class PartitionRead {
  readonly topicId: string
  readonly #transport: Pick<Transport, 'readFrom'>
  readonly #range: ReplayRange
  #next: bigint
  #records: readonly IncomingRecord[] = []
  #taken = 0
  #isOver = false

  constructor(transport: Pick<Transport, 'readFrom'>, range: ReplayRange) {
    this.topicId = range.topicId
    this.#transport = transport
    this.#range = range
    this.#next = range.next
    this.#isOver = range.next >= range.end
  }

  get head(): IncomingRecord | undefined {
    return this.#records[this.#taken]
  }

  get headMs(): number {
    return this.head?.timestampMs ?? Number.POSITIVE_INFINITY
  }

  /** Reads on where nothing is left, until there is a record or the range is over. */
  async fill(): Promise<void> {
    while (this.head === undefined && !this.#isOver) {
      const found = await this.#transport.readFrom(this.#range, this.#next, replayReadMax)
      const last = found.at(-1)
      this.#records = found.filter(({ offset }) => offset < this.#range.end)
      this.#taken = 0
      this.#next = last === undefined ? this.#range.end : last.offset + 1n
      // Fewer than asked for is the end, also where compaction left nothing up to it.
      this.#isOver = this.#next >= this.#range.end || found.length < replayReadMax
    }
  }

  take(): IncomingRecord | undefined {
    const record = this.head
    this.#taken += 1
    return record
  }
}
