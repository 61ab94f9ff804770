import { api, type RequestOf, type ResponseOf } from '../api.ts'
import { ignorable, int16, int32, nullableString, since, string } from '../schema.ts'

/**
 * Heartbeat keeps a member in its group.
 *
 * - v1 throttle time.
 * - v3 static members (KIP-345).
 * - v4 flexible (KIP-482).
 */
export const Heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleSince: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
  },
  response: {
    throttleTimeMs: ignorable(since(1, int32)),
    errorCode: int16,
  },
})

export type HeartbeatRequest = RequestOf<typeof Heartbeat>
export type HeartbeatResponse = ResponseOf<typeof Heartbeat>
