import { type Reader, readKnownTaggedFields } from '@platformatic/kafka'
import type { AbortedTransaction } from './visible-batches.ts'

/** What a broker answers to a fetch, versions 12 to 17, with the batches as they are stored. */
export interface FetchResponse {
  /** Of the whole request; 0 where all is well. */
  readonly errorCode: number
  readonly topics: readonly FetchedTopic[]
}

export interface FetchedTopic {
  /** The topic's name up to version 12, its id from then on. */
  readonly topic: string
  readonly partitions: readonly FetchedPartition[]
}

export interface FetchedPartition {
  readonly partition: number
  readonly errorCode: number
  readonly logStartOffset: bigint
  readonly abortedTransactions: readonly AbortedTransaction[]
  /** Whole batches, and perhaps the beginning of one more. */
  readonly batches: Buffer
}

/**
 * Reads an answer. The client's own reader decodes every record of a response, whether it is
 * whole or damaged, and throws all of it away where one partition has an error.
 */
export function readFetchResponse(
  _correlationId: number,
  _apiKey: number,
  version: number,
  reader: Reader,
): FetchResponse {
  reader.readInt32() // throttle time
  const errorCode = reader.readInt16()
  reader.readInt32() // session
  const topics = reader.readArray((inTopic) => ({
    topic: version >= 13 ? inTopic.readUUID() : inTopic.readString(),
    partitions: inTopic.readArray(readPartition, true, false),
  }))
  readKnownTaggedFields(reader, {})
  return { errorCode, topics }
}

function readPartition(reader: Reader): FetchedPartition {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  reader.readInt64() // high watermark
  reader.readInt64() // last stable offset
  const logStartOffset = reader.readInt64()
  const aborted = reader.readNullableArray((transaction) => ({
    producerId: transaction.readInt64(),
    firstOffset: transaction.readInt64(),
  }))
  reader.readInt32() // preferred read replica
  // COMPACT_RECORDS: the length plus one, and 0 for none at all.
  const size = Math.max(0, reader.readUnsignedVarInt() - 1)
  const batches = reader.buffer.slice(reader.position, reader.position + size)
  reader.skip(size)
  readKnownTaggedFields(reader, {})
  return { partition, errorCode, logStartOffset, abortedTransactions: aborted ?? [], batches }
}
