// The ids of idempotent producers. An id is given once, whatever crashes: blocks of them are made
// durable before the first of a block is given, and what is left of a block is never used.

import { int64 } from '@millrace/wire'
import type { Disk } from './disk/disk.ts'
import { Journal } from './journal/journal.ts'
import { producerIdBlock } from './limits.ts'
import type { FlushPolicy } from './log/log-config.ts'
import { encodeStateRecord, openStateRecord, stateRecord } from './state-record.ts'

export interface ProducerIdsOptions {
  readonly disk: Disk
  readonly flush: FlushPolicy
  readonly report: (line: string) => void
}

const blockRecord = stateRecord({
  type: 0,
  name: 'producer id block record',
  versions: [0, 0],
  shape: { nextProducerId: int64 },
})

export class ProducerIds implements AsyncDisposable {
  readonly #journal: Journal
  readonly #reserved: { end: bigint }
  #next: bigint
  #turns: Promise<unknown> = Promise.resolve()

  static async open(options: ProducerIdsOptions): Promise<ProducerIds> {
    const reserved = { end: 0n }
    const journal = await Journal.open({
      ...options,
      path: 'journal/producer-ids',
      apply: (bytes) => {
        const { version, reader } = openStateRecord(bytes)
        reserved.end = blockRecord.message.decode(reader, version).nextProducerId
      },
      snapshot: () => [encodeStateRecord(blockRecord, { nextProducerId: reserved.end })],
    })
    return new ProducerIds(journal, reserved)
  }

  private constructor(journal: Journal, reserved: { end: bigint }) {
    this.#journal = journal
    this.#reserved = reserved
    this.#next = reserved.end
  }

  /** An id that no producer had and none will have. Rejects with the journal's error. */
  next(): Promise<bigint> {
    const turn = this.#turns.then(() => this.#take())
    this.#turns = turn.catch(() => {})
    return turn
  }

  async close(): Promise<void> {
    await this.#journal.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #take(): Promise<bigint> {
    const id = this.#next
    if (id === this.#reserved.end) {
      const nextProducerId = id + BigInt(producerIdBlock)
      await this.#journal.append([encodeStateRecord(blockRecord, { nextProducerId })])
    }
    this.#next = id + 1n
    return id
  }
}
