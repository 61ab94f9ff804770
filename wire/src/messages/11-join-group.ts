import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  boolean,
  bytes,
  ignorable,
  int16,
  int32,
  nullableSince,
  nullableString,
  since,
  string,
  withDefault,
} from '../schema.ts'

/**
 * JoinGroup makes the sender a member of a group, and waits until the generation is formed. Only
 * the leader gets the list of members. Below v7 `protocolName` can not be null: an error says ''.
 *
 * - v1 rebalance timeout, apart from that of the session (KIP-62).
 * - v2 throttle time.
 * - v4 a new member is given its id first, and asks again with it (KIP-394).
 * - v5 static members (KIP-345).
 * - v6 flexible (KIP-482).
 * - v7 protocol type in the response (KIP-559).
 * - v8 why the member joins (KIP-800).
 * - v9 the leader may be told to leave the assignment as it is (KIP-814).
 */
export const JoinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleSince: 6,
  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: ignorable(since(1, int32, -1)),
    memberId: string,
    groupInstanceId: since(5, nullableString, null),
    protocolType: string,
    protocols: array({
      name: string,
      metadata: bytes,
    }),
    reason: ignorable(since(8, nullableString, null)),
  },
  response: {
    throttleTimeMs: ignorable(since(2, int32)),
    errorCode: int16,
    generationId: withDefault(int32, -1),
    protocolType: ignorable(since(7, nullableString, null)),
    protocolName: nullableSince(7, string),
    leader: string,
    skipAssignment: since(9, boolean),
    memberId: string,
    members: array({
      memberId: string,
      groupInstanceId: ignorable(since(5, nullableString, null)),
      metadata: bytes,
    }),
  },
})

export type JoinGroupRequest = RequestOf<typeof JoinGroup>
export type JoinGroupResponse = ResponseOf<typeof JoinGroup>
