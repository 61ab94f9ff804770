import { api, type RequestOf, type ResponseOf } from '../api.ts'
import { array, ignorable, int16, int32, int64, since, string, withDefault } from '../schema.ts'

/**
 * OffsetForLeaderEpoch finds where an epoch ended, so that a reader notices a truncated log
 * (KIP-320).
 *
 * - v2 the leader epoch that the client knows; throttle time.
 * - v3 the replica that asks (KIP-392).
 * - v4 flexible (KIP-482).
 */
export const OffsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleSince: 4,
  request: {
    replicaId: ignorable(since(3, int32, -2)),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: withDefault(int32, -1),
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      topic: string,
      partitions: array({
        errorCode: int16,
        partition: int32,
        leaderEpoch: withDefault(int32, -1),
        endOffset: withDefault(int64, -1n),
      }),
    }),
  },
})

export type OffsetForLeaderEpochRequest = RequestOf<typeof OffsetForLeaderEpoch>
export type OffsetForLeaderEpochResponse = ResponseOf<typeof OffsetForLeaderEpoch>
