import { api, type RequestOf, type ResponseOf } from '../api.ts'
import {
  array,
  ignorable,
  int16,
  int32,
  nullableString,
  since,
  string,
  until,
  withDefault,
} from '../schema.ts'

/**
 * LeaveGroup takes members out of their group.
 *
 * - v1 throttle time.
 * - v3 several members at once, static ones too (KIP-345): `members` replaces `memberId`.
 * - v4 flexible (KIP-482).
 * - v5 why the member leaves (KIP-800).
 */
export const LeaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    memberId: until(2, string),
    members: since(
      3,
      array({
        memberId: string,
        groupInstanceId: withDefault(nullableString, null),
        reason: ignorable(since(5, nullableString, null)),
      }),
    ),
  },
  response: {
    throttleTimeMs: ignorable(since(1, int32)),
    errorCode: int16,
    members: since(
      3,
      array({
        memberId: string,
        groupInstanceId: nullableString,
        errorCode: int16,
      }),
    ),
  },
})

export type LeaveGroupRequest = RequestOf<typeof LeaveGroup>
export type LeaveGroupResponse = ResponseOf<typeof LeaveGroup>
