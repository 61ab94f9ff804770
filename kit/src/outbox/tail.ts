import { readHeaders } from '../catalogue/event-headers.ts'
import { tailRecordsMax } from '../limits.ts'
import type { TopicPartition, Transport } from '../transport/transport.ts'

export interface Tail {
  /** The ids of our own events on it. */
  readonly eventIds: ReadonlySet<string>
  /** Where the partition ends. */
  readonly nextOffset: bigint
}

/** Records of one request; a few pages cover what an interrupted send left. */
const pageRecords = 1_000

/**
 * Reads what a partition got from `offset` on, to see what of an interrupted send had arrived.
 * Past `tailRecordsMax` records it gives up on the rest: what arrived there is sent again, and
 * the inboxes swallow the repeats.
 */
export async function readTail(
  transport: Transport,
  place: TopicPartition,
  { offset, source }: { readonly offset: bigint; readonly source: string },
): Promise<Tail> {
  const eventIds = new Set<string>()
  let nextOffset = offset
  for (let seen = 0; seen < tailRecordsMax; ) {
    const records = await transport.readFrom(place, nextOffset, pageRecords)
    const last = records.at(-1)
    if (last === undefined) break
    for (const { headers } of records) {
      const { id, source: speaker } = readHeaders(headers)
      if (id !== undefined && speaker === source) eventIds.add(id)
    }
    nextOffset = last.offset + 1n
    seen += records.length
    if (records.length < pageRecords) break
  }
  return { eventIds, nextOffset }
}

/** Where a partition ends now, for one that the relay has never sent to. */
export async function endOf(
  transport: Transport,
  group: string,
  { topic, partition }: TopicPartition,
): Promise<bigint> {
  const lags = await transport.lag(group, [topic])
  return lags.find((lag) => lag.partition === partition)?.end ?? 0n
}
