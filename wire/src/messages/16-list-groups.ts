import { api, type RequestOf, type ResponseOf } from '../api.ts'
import { array, ignorable, int16, int32, since, string } from '../schema.ts'

/**
 * ListGroups names the groups that a broker keeps.
 *
 * - v1 throttle time.
 * - v3 flexible (KIP-482).
 * - v4 filter by state, and the state in the response (KIP-518).
 * - v5 filter by type, and the type in the response (KIP-848).
 */
export const ListGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    statesFilter: since(4, array(string)),
    typesFilter: since(5, array(string)),
  },
  response: {
    throttleTimeMs: ignorable(since(1, int32)),
    errorCode: int16,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: ignorable(since(4, string)),
      groupType: ignorable(since(5, string)),
    }),
  },
})

export type ListGroupsRequest = RequestOf<typeof ListGroups>
export type ListGroupsResponse = ResponseOf<typeof ListGroups>
