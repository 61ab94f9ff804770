// OffsetForLeaderEpoch finds where an epoch ended (KIP-320). There is one epoch, and it ends where
// the log ends.

import {
  errors,
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequest,
  type ResponseInput,
} from '@millrace/wire'
import { handler } from '../handler.ts'
import { leaderEpoch } from '../leader-epoch.ts'
import type { PartitionLog } from '../log/partition-log.ts'

type PartitionRequest = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number]
type PartitionResponse = ResponseInput<
  typeof OffsetForLeaderEpoch
>['topics'][number]['partitions'][number]

export const offsetForLeaderEpoch = handler(OffsetForLeaderEpoch, (request, { broker }) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((wanted) =>
      answer(wanted, broker.topics.byName(topic)?.partitions[wanted.partition]),
    ),
  })),
}))

function answer(wanted: PartitionRequest, log: PartitionLog | undefined): PartitionResponse {
  const { partition } = wanted
  if (log === undefined) return { partition, errorCode: errors.unknownTopicOrPartition.code }
  if (wanted.currentLeaderEpoch > leaderEpoch) {
    return { partition, errorCode: errors.unknownLeaderEpoch.code }
  }
  const isKnown = wanted.leaderEpoch === leaderEpoch
  return {
    partition,
    errorCode: errors.none.code,
    ...(isKnown ? { leaderEpoch, endOffset: log.highWatermark } : {}),
  }
}
