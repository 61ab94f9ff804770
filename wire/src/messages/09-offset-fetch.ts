import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  between,
  boolean,
  ignorable,
  int16,
  int32,
  int64,
  nullable,
  nullableSince,
  nullableString,
  since,
  string,
  until,
  withDefault,
} from '../schema.ts'

/**
 * OffsetFetch reads what was committed. `topics` null asks for all of a group, from v2.
 *
 * - v2 null topics; an error for the whole response (KIP-88).
 * - v3 throttle time.
 * - v5 leader epochs (KIP-320).
 * - v6 flexible (KIP-482).
 * - v7 only offsets that no open transaction may still change (KIP-447).
 * - v8 several groups at once (KIP-709): `groups` replaces `groupId` and `topics`.
 * - v9 the member that asks, for the protocol of KIP-848.
 *
 * Left out: v0, which read from ZooKeeper; v10, topics by id.
 */
export const OffsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 9],
  flexibleSince: 6,
  request: {
    groupId: until(7, string),
    topics: until(
      7,
      nullableSince(
        2,
        array({
          name: string,
          partitionIndexes: array(int32),
        }),
      ),
    ),
    groups: since(
      8,
      array({
        groupId: string,
        memberId: ignorable(since(9, nullableString, null)),
        memberEpoch: ignorable(since(9, int32, -1)),
        topics: nullable(
          array({
            name: string,
            partitionIndexes: array(int32),
          }),
        ),
      }),
    ),
    requireStable: since(7, boolean),
  },
  response: {
    throttleTimeMs: ignorable(since(3, int32)),
    topics: until(
      7,
      array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          committedOffset: int64,
          committedLeaderEpoch: ignorable(since(5, int32, -1)),
          metadata: nullableString,
          errorCode: int16,
        }),
      }),
    ),
    errorCode: ignorable(between([2, 7], int16)),
    groups: since(
      8,
      array({
        groupId: string,
        topics: array({
          name: string,
          partitions: array({
            partitionIndex: int32,
            committedOffset: int64,
            committedLeaderEpoch: withDefault(int32, -1),
            metadata: nullableString,
            errorCode: int16,
          }),
        }),
        errorCode: int16,
      }),
    ),
  },
})

export type OffsetFetchRequest = RequestOf<typeof OffsetFetch>
export type OffsetFetchResponse = ResponseOf<typeof OffsetFetch>
