// JoinGroup makes the sender a member of a group, and waits for the round to close.
//
// - v1 the rebalance timeout is apart from that of the session.
// - v4 a new dynamic member is given its id first (KIP-394).
// - v5 static members (KIP-345).
// - v9 a static leader that comes back is told to keep the assignment (KIP-814).

import { randomUUID } from 'node:crypto'
import { errors, JoinGroup, type JoinGroupRequest, type ResponseInput } from '@millrace/wire'
import type { BrokerSettings } from '../broker-settings.ts'
import type { JoinReply } from '../groups/decision.ts'
import { failedJoin } from '../groups/join.ts'
import { metadataOf } from '../groups/members.ts'
import { handler } from '../handler.ts'

type Response = ResponseInput<typeof JoinGroup>

export const joinGroup = handler(JoinGroup, async (request, context) => {
  const { broker, apiVersion, clientId, clientHost } = context
  const errorCode = errorOf(request, broker)
  if (errorCode !== errors.none.code) {
    return responseOf(failedJoin(errorCode, request.memberId), apiVersion)
  }
  const { groupId, memberId, groupInstanceId, protocolType, sessionTimeoutMs } = request
  const reply = await broker.groups.ask(groupId, (ticket) => ({
    kind: 'join',
    ticket,
    memberId,
    groupInstanceId,
    newMemberId: `${groupInstanceId ?? clientId}-${randomUUID()}`,
    asksForId: apiVersion >= 4,
    canSkipAssignment: apiVersion >= 9,
    clientId,
    clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs: apiVersion >= 1 ? request.rebalanceTimeoutMs : sessionTimeoutMs,
    protocolType,
    // Views of the read buffer: what a group keeps is its own.
    protocols: request.protocols.map(({ name, metadata }) => ({
      name,
      metadata: new Uint8Array(metadata),
    })),
  }))
  if (reply.kind !== 'join') throw new TypeError(`a join was answered with ${reply.kind}`)
  return responseOf(reply, apiVersion)
})

function errorOf(
  { groupId, memberId, sessionTimeoutMs }: JoinGroupRequest,
  { settings, groups }: { settings: BrokerSettings; groups: { find(id: string): unknown } },
): number {
  if (groupId === '') return errors.invalidGroupId.code
  const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = settings
  if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs) {
    return errors.invalidSessionTimeout.code
  }
  const isStranger = memberId !== '' && groups.find(groupId) === undefined
  return isStranger ? errors.unknownMemberId.code : errors.none.code
}

function responseOf(reply: JoinReply, apiVersion: number): Response {
  return {
    errorCode: reply.errorCode,
    generationId: reply.generation,
    protocolType: reply.protocolType,
    protocolName: apiVersion >= 7 ? reply.protocolName : (reply.protocolName ?? ''),
    leader: reply.leaderId,
    skipAssignment: reply.skipAssignment,
    memberId: reply.memberId,
    members: reply.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: metadataOf(member, reply.protocolName),
    })),
  }
}
