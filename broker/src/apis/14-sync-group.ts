// SyncGroup hands the leader's assignment in, and waits for one's own part of it.
//
// - v5 protocol type and name are checked (KIP-559).

import { errors, type ResponseInput, SyncGroup } from '@millrace/wire'
import type { SyncReply } from '../groups/decision.ts'
import { failedSync } from '../groups/rebalance.ts'
import { handler } from '../handler.ts'

export const syncGroup = handler(SyncGroup, async (request, { broker }) => {
  const { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName } = request
  if (groupId === '') return responseOf(failedSync(errors.invalidGroupId.code))
  if (broker.groups.find(groupId) === undefined) {
    return responseOf(failedSync(errors.unknownMemberId.code))
  }
  const reply = await broker.groups.ask(groupId, (ticket) => ({
    kind: 'sync',
    ticket,
    memberId,
    groupInstanceId,
    generation: generationId,
    protocolType,
    protocolName,
    // Views of the read buffer: what a group keeps is its own.
    assignments: new Map(
      request.assignments.map(({ memberId, assignment }) => [memberId, new Uint8Array(assignment)]),
    ),
  }))
  if (reply.kind !== 'sync') throw new TypeError(`a sync was answered with ${reply.kind}`)
  return responseOf(reply)
})

function responseOf(reply: SyncReply): ResponseInput<typeof SyncGroup> {
  const { errorCode, protocolType, protocolName, assignment } = reply
  return { errorCode, protocolType, protocolName, assignment }
}
