// DeleteGroups forgets groups without members, and what they committed.

import { DeleteGroups } from '@millrace/wire'
import { handler } from '../handler.ts'

export const deleteGroups = handler(DeleteGroups, async (request, { broker }) => ({
  throttleTimeMs: 0,
  results: await Promise.all(
    request.groupsNames.map(async (groupId) => ({
      groupId,
      errorCode: await broker.groups.delete(groupId),
    })),
  ),
}))
