// Whether a catalogue can read what the topics and the dead letters really hold.

import type { Catalogue } from '../catalogue/catalogue.ts'
import { type RecordOrigin, readRecord } from '../catalogue/read-record.ts'
import type { IncomingRecord } from '../transport/transport.ts'

/** A record that the catalogue would reject. */
export interface UnreadableRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly reason: string
}

export interface RecordsCheck {
  readonly recordsRead: number
  readonly unreadable: number
  /** One example for each topic and reason, the first that was met. */
  readonly examples: readonly UnreadableRecord[]
}

/** Enough to see what is wrong; a topic of rejects has one reason, seldom three. */
const examplesMax = 100

/**
 * Reads each record as a service would, and runs no handler. Tombstones are passed over. Holds one
 * record at a time in memory.
 */
export async function checkRecords(
  catalogue: Catalogue,
  records: AsyncIterable<IncomingRecord>,
  origin: RecordOrigin,
): Promise<RecordsCheck> {
  const examples = new Map<string, UnreadableRecord>()
  let recordsRead = 0
  let unreadable = 0
  for await (const record of records) {
    recordsRead += 1
    if (record.value === null) continue
    const read = await readRecord(catalogue, record, origin)
    if (read.kind === 'event') continue
    unreadable += 1
    const { topic, partition, offset } = record
    const kind = `${topic} ${read.reason}`
    if (examples.size < examplesMax && !examples.has(kind)) {
      examples.set(kind, { topic, partition, offset, reason: read.reason })
    }
  }
  return { recordsRead, unreadable, examples: [...examples.values()] }
}
