import { api, type RequestOf, type ResponseOf } from '../api.ts'
import { array, int16, int32, string } from '../schema.ts'

/**
 * DeleteGroups forgets groups that have no members, and their offsets (KIP-229).
 *
 * - v2 flexible (KIP-482).
 */
export const DeleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 2],
  flexibleSince: 2,
  request: {
    groupsNames: array(string),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      groupId: string,
      errorCode: int16,
    }),
  },
})

export type DeleteGroupsRequest = RequestOf<typeof DeleteGroups>
export type DeleteGroupsResponse = ResponseOf<typeof DeleteGroups>
