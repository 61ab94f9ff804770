// A member asks to join. It waits for the round to close, is given an id first, or gets the
// generation that there is.

import { errors } from '@millrace/wire'
import { claimError } from './claims.ts'
import { type Draft, type JoinReply, pendingTimer, sessionTimer } from './decision.ts'
import {
  electProtocol,
  hasCommonProtocol,
  type Member,
  offersSame,
  staticMember,
  wantsSame,
} from './members.ts'
import { beginRebalance, completeIfAllJoined, failedSync, joinedReply } from './rebalance.ts'
import type { JoinRequest } from './requests.ts'
import { answers } from './states.ts'

export function decideJoin(draft: Draft, request: JoinRequest): void {
  const errorCode = refusalOf(draft, request)
  if (errorCode !== errors.none.code) {
    refuse(draft, request, errorCode)
    return
  }
  if (request.memberId !== '') {
    joinKnown(draft, request)
    return
  }
  const { groupInstanceId } = request
  if (groupInstanceId !== null) {
    joinStatic(draft, request, groupInstanceId)
    return
  }
  if (request.asksForId) {
    giveId(draft, request)
    return
  }
  joinRound(draft, request, memberOf(request, request.newMemberId))
}

/** The reply to a join that failed. It names the member where the client must come again. */
export function failedJoin(errorCode: number, memberId: string): JoinReply {
  return {
    kind: 'join',
    errorCode,
    memberId,
    generation: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    members: [],
    skipAssignment: false,
  }
}

function refusalOf(draft: Draft, request: JoinRequest): number {
  const { state } = draft
  if (answers[state.kind].rejoin === 'gone') return errors.coordinatorNotAvailable.code
  if (!hasRoom(draft, request)) return errors.groupMaxSizeReached.code
  if (!isCompatible(draft, request)) return errors.inconsistentGroupProtocol.code
  return errors.none.code
}

/** In an open round those who have joined count; else all members do. */
function hasRoom({ state, rules }: Draft, { memberId }: JoinRequest): boolean {
  if (state.kind === 'empty' || state.kind === 'dead') return true
  if (state.kind !== 'preparingRebalance') {
    return state.members.has(memberId) || state.members.size < rules.groupMaxSize
  }
  return state.joins.has(memberId) || state.joins.size < rules.groupMaxSize
}

function isCompatible({ state }: Draft, { protocolType, protocols }: JoinRequest): boolean {
  if (state.members.size === 0) return protocolType !== '' && protocols.length > 0
  return protocolType === state.protocolType && hasCommonProtocol(state.members, protocols)
}

function joinKnown(draft: Draft, request: JoinRequest): void {
  const { state } = draft
  const { memberId, groupInstanceId } = request
  if (state.pendingIds.has(memberId) && groupInstanceId === null) {
    draft.disarm(pendingTimer(memberId))
    joinRound(draft, request, memberOf(request, memberId))
    return
  }
  const errorCode = claimError(state, request)
  if (errorCode !== errors.none.code) {
    refuse(draft, request, errorCode)
    return
  }
  const member = state.members.get(memberId)
  const isSame = member !== undefined && offersSame(member, request.protocols)
  switch (answers[state.kind].rejoin) {
    case 'repeat':
      if (isSame) {
        repeat(draft, request)
        return
      }
      break
    case 'repeatToFollower':
      if (isSame && state.leaderId !== memberId) {
        repeat(draft, request)
        return
      }
      break
    case 'unknownMember':
      refuse(draft, request, errors.unknownMemberId.code)
      return
    case 'park':
    case 'gone':
      break
  }
  joinRound(draft, request, { ...memberOf(request, memberId), assignment: assignmentOf(member) })
}

function assignmentOf(member: Member | undefined): Uint8Array {
  return member?.assignment ?? new Uint8Array(0)
}

function repeat(draft: Draft, { ticket, memberId }: JoinRequest): void {
  draft.reply(ticket, joinedReply(draft, memberId))
  draft.keepAlive(memberId)
}

function joinStatic(draft: Draft, request: JoinRequest, groupInstanceId: string): void {
  const previous = staticMember(draft.state.members, groupInstanceId)
  const member = memberOf(request, request.newMemberId)
  if (previous === undefined) {
    joinRound(draft, request, member)
    return
  }
  const leaderBefore = draft.state.leaderId
  const protocolBefore = draft.state.protocolName
  const { assignment } = previous
  replace(draft, previous.memberId, { ...member, assignment })
  const { state } = draft
  const isUnchanged =
    state.kind === 'stable' &&
    electProtocol(state.members) === protocolBefore &&
    wantsSame(previous, request.protocols)
  if (isUnchanged) {
    resume(draft, request, leaderBefore ?? '')
    return
  }
  joinRound(draft, request, { ...member, assignment })
}

/** The new holder of an instance id takes its predecessor's place, and fences it. */
function replace(draft: Draft, from: string, to: Member): void {
  const { state } = draft
  const { code } = errors.fencedInstanceId
  const join = state.kind === 'preparingRebalance' ? state.joins.get(from) : undefined
  const sync = state.kind === 'completingRebalance' ? state.syncs.get(from) : undefined
  draft.happen({ kind: 'memberReplaced', from, to })
  if (join !== undefined) draft.reply(join, failedJoin(code, from))
  if (sync !== undefined) draft.reply(sync, failedSync(code))
  draft.disarm(sessionTimer(from))
}

/**
 * A static member is back and wants what it had: no rebalance. A leader that knows how to is told
 * to keep the assignment; an older one is not told that it leads, lest it assign anew.
 */
function resume(draft: Draft, request: JoinRequest, leaderBefore: string): void {
  const { ticket, newMemberId, canSkipAssignment } = request
  draft.happen(draft.settled([...draft.state.members.values()]))
  const reply = joinedReply(draft, newMemberId)
  const isLeader = draft.state.leaderId === newMemberId
  draft.reply(
    ticket,
    canSkipAssignment
      ? { ...reply, skipAssignment: isLeader }
      : { ...reply, leaderId: leaderBefore, members: [] },
  )
  draft.keepAlive(newMemberId)
}

/** Puts the member into the round that is open, or opens one. */
function joinRound(draft: Draft, request: JoinRequest, member: Member): void {
  const { memberId } = member
  draft.happen({ kind: 'memberJoined', member, protocolType: request.protocolType })
  beginRebalance(draft)
  const { state } = draft
  const earlier = state.kind === 'preparingRebalance' ? state.joins.get(memberId) : undefined
  if (earlier !== undefined) {
    draft.reply(earlier, failedJoin(errors.rebalanceInProgress.code, memberId))
  }
  draft.happen({ kind: 'joinParked', memberId, ticket: request.ticket })
  draft.disarm(sessionTimer(memberId))
  completeIfAllJoined(draft)
}

function giveId(draft: Draft, { ticket, newMemberId, sessionTimeoutMs }: JoinRequest): void {
  draft.happen({ kind: 'memberIdGiven', memberId: newMemberId })
  draft.arm({
    key: pendingTimer(newMemberId),
    afterMs: sessionTimeoutMs,
    request: { kind: 'memberIdLapsed', memberId: newMemberId },
  })
  draft.reply(ticket, failedJoin(errors.memberIdRequired.code, newMemberId))
}

function refuse(draft: Draft, { ticket, memberId }: JoinRequest, errorCode: number): void {
  draft.reply(ticket, failedJoin(errorCode, memberId))
}

function memberOf(request: JoinRequest, memberId: string): Member {
  const { groupInstanceId, clientId, clientHost, protocols } = request
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    protocols,
    assignment: new Uint8Array(0),
  }
}
