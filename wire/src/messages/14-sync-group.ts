import { api, type RequestOf, type ResponseOf } from '../api.ts'
import { array, bytes, ignorable, int16, int32, nullableString, since, string } from '../schema.ts'

/**
 * SyncGroup hands the leader's assignment in, and waits for one's own part of it.
 *
 * - v1 throttle time.
 * - v3 static members (KIP-345).
 * - v4 flexible (KIP-482).
 * - v5 protocol type and name, which both sides check (KIP-559).
 */
export const SyncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
    protocolType: ignorable(since(5, nullableString, null)),
    protocolName: ignorable(since(5, nullableString, null)),
    assignments: array({
      memberId: string,
      assignment: bytes,
    }),
  },
  response: {
    throttleTimeMs: ignorable(since(1, int32)),
    errorCode: int16,
    protocolType: ignorable(since(5, nullableString, null)),
    protocolName: ignorable(since(5, nullableString, null)),
    assignment: bytes,
  },
})

export type SyncGroupRequest = RequestOf<typeof SyncGroup>
export type SyncGroupResponse = ResponseOf<typeof SyncGroup>
