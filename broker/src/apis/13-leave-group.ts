// LeaveGroup takes members out of their group, so that the others need not wait for a session.
//
// - v3 several members at once; one with an instance id and no member id is removed by an
//   administrator (KIP-345).

import { errors, LeaveGroup } from '@millrace/wire'
import { handler } from '../handler.ts'

export const leaveGroup = handler(LeaveGroup, async (request, { broker, apiVersion }) => {
  const { groupId } = request
  if (groupId === '') return { errorCode: errors.invalidGroupId.code }
  if (broker.groups.find(groupId) === undefined) return { errorCode: errors.unknownMemberId.code }
  const members =
    apiVersion >= 3 ? request.members : [{ memberId: request.memberId, groupInstanceId: null }]
  const reply = await broker.groups.ask(groupId, (ticket) => ({ kind: 'leave', ticket, members }))
  if (reply.kind !== 'leave') throw new TypeError(`a leave was answered with ${reply.kind}`)
  if (apiVersion >= 3) return { errorCode: errors.none.code, members: reply.members }
  return { errorCode: reply.members[0]?.errorCode ?? errors.none.code }
})
