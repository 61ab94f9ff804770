// Heartbeat keeps a member in its group, and tells it when it has to join again.

import { errors, Heartbeat } from '@millrace/wire'
import { handler } from '../handler.ts'

export const heartbeat = handler(Heartbeat, (request, { broker }) => {
  const { groupId, generationId, memberId, groupInstanceId } = request
  if (groupId === '') return { errorCode: errors.invalidGroupId.code }
  const claim = { memberId, groupInstanceId, generation: generationId }
  return { errorCode: broker.groups.heartbeat(groupId, claim) }
})
