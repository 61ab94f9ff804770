import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  ignorable,
  int16,
  int32,
  int64,
  nullableString,
  since,
  string,
  until,
  withDefault,
} from '../schema.ts'

/**
 * OffsetCommit saves how far a group has read.
 *
 * - v2 a retention time for the whole request.
 * - v3 throttle time.
 * - v5 no retention time any more (KIP-211).
 * - v6 leader epochs (KIP-320).
 * - v7 static members (KIP-345).
 * - v8 flexible (KIP-482).
 * - v9 the same request serves the consumer protocol of KIP-848.
 *
 * Left out: v0 and v1, which Kafka 4 dropped; v10, topics by id.
 */
export const OffsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [2, 9],
  flexibleSince: 8,
  request: {
    groupId: string,
    generationIdOrMemberEpoch: withDefault(int32, -1),
    memberId: string,
    groupInstanceId: since(7, nullableString, null),
    retentionTimeMs: ignorable(until(4, int64, -1n)),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: ignorable(since(6, int32, -1)),
        committedMetadata: nullableString,
      }),
    }),
  },
  response: {
    throttleTimeMs: ignorable(since(3, int32)),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
})

export type OffsetCommitRequest = RequestOf<typeof OffsetCommit>
export type OffsetCommitResponse = ResponseOf<typeof OffsetCommit>
