// ListGroups names the groups.
//
// - v4 filter by state. v5 filter by type: all groups are classic here.

import { errors, ListGroups } from '@millrace/wire'
import { stateNames } from '../groups/states.ts'
import { handler } from '../handler.ts'

const groupType = 'classic'

export const listGroups = handler(ListGroups, (request, { broker }) => {
  const states = lowerCased(request.statesFilter)
  const types = lowerCased(request.typesFilter)
  const groups = broker.groups.all
    .map(({ groupId, state }) => ({
      groupId,
      protocolType: state.protocolType ?? '',
      groupState: stateNames[state.kind],
      groupType,
    }))
    .filter(({ groupState }) => states.size === 0 || states.has(groupState.toLowerCase()))
    .filter(() => types.size === 0 || types.has(groupType))
  return { errorCode: errors.none.code, groups }
})

function lowerCased(words: readonly string[]): ReadonlySet<string> {
  return new Set(words.map((word) => word.toLowerCase()))
}
