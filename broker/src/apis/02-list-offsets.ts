// ListOffsets finds the offset for a time, or the ends of the log.
//
// - Times: -1 the end (the high watermark, for either isolation level: nothing is transactional),
//   -2 the start, -3 the record with the latest timestamp (v7), -4 the start of what is on local
//   disk (v8: the same start), -5 the end of what is in tiered storage (v9: there is none).
// - v4 leader epochs.

import { errors, ListOffsets, type ListOffsetsRequest, type ResponseInput } from '@millrace/wire'
import { handler } from '../handler.ts'
import { leaderEpoch } from '../leader-epoch.ts'
import type { PartitionLog } from '../log/partition-log.ts'

type Response = ResponseInput<typeof ListOffsets>
type PartitionResponse = Response['topics'][number]['partitions'][number]
type PartitionRequest = ListOffsetsRequest['topics'][number]['partitions'][number]
type Found = Pick<PartitionResponse, 'offset' | 'timestamp' | 'leaderEpoch'>

const latest = -1n
const earliest = -2n
const maxTimestamp = -3n
const earliestLocal = -4n
const latestTiered = -5n

/** The version from which on a time below 0 has its meaning; a time that is not here has none. */
const specialTimes: ReadonlyMap<bigint, number> = new Map([
  [latest, 0],
  [earliest, 0],
  [maxTimestamp, 7],
  [earliestLocal, 8],
  [latestTiered, 9],
])

export const listOffsets = handler(ListOffsets, (request, { broker, apiVersion }) => ({
  topics: request.topics.map(({ name, partitions }) => {
    const topic = broker.topics.byName(name)
    return {
      name,
      partitions: partitions.map((wanted) => {
        const log = topic?.partitions[wanted.partitionIndex]
        const found = answer(wanted, log, apiVersion)
        return apiVersion >= 4 ? found : { ...found, leaderEpoch: undefined }
      }),
    }
  }),
}))

function answer(
  wanted: PartitionRequest,
  log: PartitionLog | undefined,
  apiVersion: number,
): PartitionResponse {
  const { partitionIndex, timestamp } = wanted
  if (log === undefined) {
    return { partitionIndex, errorCode: errors.unknownTopicOrPartition.code }
  }
  if (wanted.currentLeaderEpoch > leaderEpoch) {
    return { partitionIndex, errorCode: errors.unknownLeaderEpoch.code }
  }
  if (timestamp < 0n && apiVersion < (specialTimes.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
    return { partitionIndex, errorCode: errors.unsupportedVersion.code }
  }
  return { partitionIndex, errorCode: errors.none.code, ...offsetAt(timestamp, log) }
}

/** Offset and timestamp are -1 where no record is late enough. */
function offsetAt(timestamp: bigint, log: PartitionLog): Found {
  switch (timestamp) {
    case latest:
      return { offset: log.highWatermark, leaderEpoch }
    case earliest:
    case earliestLocal:
      return { offset: log.logStartOffset, leaderEpoch }
    case latestTiered:
      return {}
    default: {
      const found =
        timestamp === maxTimestamp ? log.offsetOfMaxTimestamp() : log.offsetForTimestamp(timestamp)
      if (found === undefined) return {}
      return { offset: found.offset, timestamp: found.timestampMs, leaderEpoch: found.leaderEpoch }
    }
  }
}
