import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  boolean,
  bytes,
  ignorable,
  int16,
  int32,
  nullableString,
  since,
  string,
} from '../schema.ts'

/**
 * DescribeGroups shows the state, protocol and members of groups.
 *
 * - v1 throttle time.
 * - v3 what the client is allowed to do (KIP-430).
 * - v4 static members (KIP-345).
 * - v5 flexible (KIP-482).
 *
 * Left out: v6, an error message and GROUP_ID_NOT_FOUND (KIP-1043).
 */
export const DescribeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 5],
  flexibleSince: 5,
  request: {
    groups: array(string),
    includeAuthorizedOperations: since(3, boolean),
  },
  response: {
    throttleTimeMs: ignorable(since(1, int32)),
    groups: array({
      errorCode: int16,
      groupId: string,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: ignorable(since(4, nullableString, null)),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: since(3, int32, -2147483648),
    }),
  },
})

export type DescribeGroupsRequest = RequestOf<typeof DescribeGroups>
export type DescribeGroupsResponse = ResponseOf<typeof DescribeGroups>
