import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  ignorable,
  int8,
  int16,
  int32,
  int64,
  since,
  string,
  withDefault,
} from '../schema.ts'

/**
 * ListOffsets finds the offset for a time: the first record that is not older, or, with the special
 * times -1 and -2, the end and the start of the log.
 *
 * - v1 one offset, and its timestamp, instead of a list (KIP-79).
 * - v2 isolation level (KIP-98), throttle time.
 * - v4 leader epochs (KIP-320).
 * - v5 the error OFFSET_NOT_AVAILABLE (KIP-207).
 * - v6 flexible (KIP-482).
 * - v7 time -3: the record with the latest timestamp (KIP-734).
 * - v8 time -4: the start of what is on local disk (KIP-405).
 * - v9 time -5: the end of what is in tiered storage (KIP-1005).
 *
 * Left out: v0, which Kafka 4 dropped; v10 and v11, for tiered storage (KIP-1075, KIP-1023).
 */
export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 9],
  flexibleSince: 6,
  request: {
    replicaId: int32,
    isolationLevel: since(2, int8),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: ignorable(since(4, int32, -1)),
        timestamp: int64,
      }),
    }),
  },
  response: {
    throttleTimeMs: ignorable(since(2, int32)),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        timestamp: withDefault(int64, -1n),
        offset: withDefault(int64, -1n),
        leaderEpoch: since(4, int32, -1),
      }),
    }),
  },
})

export type ListOffsetsRequest = RequestOf<typeof ListOffsets>
export type ListOffsetsResponse = ResponseOf<typeof ListOffsets>
