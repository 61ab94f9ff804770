// What a group makes of a request, or of time that has passed. Pure and synchronous.

import { errors } from '@millrace/wire'
import { claimError } from './claims.ts'
import { type Decision, Draft, type GroupRules, pendingTimer, sessionTimer } from './decision.ts'
import type { GroupState } from './group.ts'
import { decideJoin, failedJoin } from './join.ts'
import { staticMember } from './members.ts'
import {
  beginRebalance,
  completeIfAllJoined,
  completeRound,
  failedSync,
  lookAgain,
  settle,
  syncedReply,
} from './rebalance.ts'
import type {
  Claim,
  CommitRequest,
  GroupRequest,
  HeartbeatRequest,
  LeaveRequest,
  SyncRequest,
} from './requests.ts'
import { answers } from './states.ts'

export interface Surroundings {
  readonly rules: GroupRules
  readonly nowMs: number
}

/** Looks at the state and a request, and changes nothing. */
export function decide(
  state: GroupState,
  request: GroupRequest,
  { rules, nowMs }: Surroundings,
): Decision {
  const draft = new Draft(state, rules, nowMs)
  switch (request.kind) {
    case 'join':
      decideJoin(draft, request)
      break
    case 'sync':
      decideSync(draft, request)
      break
    case 'heartbeat':
      decideHeartbeat(draft, request)
      break
    case 'leave':
      decideLeave(draft, request)
      break
    case 'commit':
      decideCommit(draft, request)
      break
    case 'loaded':
      for (const memberId of state.members.keys()) draft.keepAlive(memberId)
      break
    case 'sessionExpired':
      remove(draft, request.memberId)
      break
    case 'memberIdLapsed':
      draft.happen(request)
      completeIfAllJoined(draft)
      break
    case 'joinDue':
      completeRound(draft)
      break
    case 'firstRoundDue':
      lookAgain(draft)
      break
    case 'syncDue':
      removeUnsynced(draft, request.generation)
      break
  }
  return draft
}

function decideSync(draft: Draft, request: SyncRequest): void {
  const { state } = draft
  const { ticket, memberId } = request
  const errorCode = syncError(state, request)
  if (errorCode !== errors.none.code) {
    draft.reply(ticket, failedSync(errorCode))
    return
  }
  if (state.kind === 'stable') {
    draft.happen({ kind: 'synced', memberId })
    draft.reply(ticket, syncedReply(draft, memberId))
    draft.keepAlive(memberId)
    return
  }
  parkSync(draft, request)
}

function syncError(state: GroupState, request: SyncRequest): number {
  const answer = answers[state.kind].sync
  if (answer === 'gone') return errors.coordinatorNotAvailable.code
  const errorCode = claimError(state, request)
  if (errorCode !== errors.none.code) return errorCode
  if (request.generation !== state.generation) return errors.illegalGeneration.code
  const { protocolType, protocolName } = request
  if (protocolType !== null && protocolType !== state.protocolType) {
    return errors.inconsistentGroupProtocol.code
  }
  if (answer === 'unknownMember') return errors.unknownMemberId.code
  if (answer === 'rebalanceInProgress') return errors.rebalanceInProgress.code
  const isElected = protocolName === null || protocolName === state.protocolName
  return isElected ? errors.none.code : errors.inconsistentGroupProtocol.code
}

function parkSync(draft: Draft, { ticket, memberId, assignments }: SyncRequest): void {
  const { state: before } = draft
  if (before.kind !== 'completingRebalance') return
  const earlier = before.syncs.get(memberId)
  if (earlier !== undefined) draft.reply(earlier, failedSync(errors.rebalanceInProgress.code))
  draft.happen({ kind: 'syncParked', memberId, ticket })
  draft.disarm(sessionTimer(memberId))
  const { state } = draft
  if (state.kind === 'completingRebalance' && state.leaderId === memberId) {
    settle(draft, state, assignments)
  }
}

function decideHeartbeat(draft: Draft, request: HeartbeatRequest): void {
  draft.reply(request.ticket, { kind: 'plain', errorCode: heartbeatError(draft, request) })
}

function heartbeatError(draft: Draft, request: HeartbeatRequest): number {
  const { state } = draft
  const answer = answers[state.kind].heartbeat
  if (answer === 'gone') return errors.coordinatorNotAvailable.code
  const errorCode = claimError(state, request)
  if (errorCode !== errors.none.code) return errorCode
  if (request.generation !== state.generation) return errors.illegalGeneration.code
  if (answer === 'unknownMember') return errors.unknownMemberId.code
  draft.keepAlive(request.memberId)
  return answer === 'ok' ? errors.none.code : errors.rebalanceInProgress.code
}

function decideCommit(draft: Draft, request: CommitRequest): void {
  draft.reply(request.ticket, { kind: 'plain', errorCode: commitError(draft, request) })
}

function commitError(draft: Draft, request: CommitRequest): number {
  const { state } = draft
  const { memberId, generation } = request
  const answer = answers[state.kind].commit
  if (answer === 'gone') return errors.coordinatorNotAvailable.code
  // Who is no member may commit only for a group that has none.
  if (generation < 0 && state.kind === 'empty') return errors.none.code
  const errorCode = claimError(state, request)
  if (errorCode !== errors.none.code) return errorCode
  if (generation !== state.generation) return errors.illegalGeneration.code
  if (answer === 'rebalanceInProgress') return errors.rebalanceInProgress.code
  draft.keepAlive(memberId)
  return errors.none.code
}

function decideLeave(draft: Draft, { ticket, members }: LeaveRequest): void {
  const left = members.map((claim) => ({ ...claim, errorCode: leave(draft, claim) }))
  draft.reply(ticket, { kind: 'leave', members: left })
}

function leave(draft: Draft, claim: Claim): number {
  const { state } = draft
  const { memberId, groupInstanceId } = claim
  if (state.pendingIds.has(memberId)) {
    draft.disarm(pendingTimer(memberId))
    draft.happen({ kind: 'memberIdLapsed', memberId })
    completeIfAllJoined(draft)
    return errors.none.code
  }
  if (memberId === '' && groupInstanceId !== null) {
    // An administrator removes a static member, whose id is not known outside.
    const member = staticMember(state.members, groupInstanceId)
    if (member === undefined) return errors.unknownMemberId.code
    remove(draft, member.memberId)
    return errors.none.code
  }
  const errorCode = claimError(state, claim)
  if (errorCode === errors.none.code) remove(draft, memberId)
  return errorCode
}

/** The member is gone: those who stay share its part. */
function remove(draft: Draft, memberId: string): void {
  const { state } = draft
  if (!state.members.has(memberId)) return
  const { code } = errors.unknownMemberId
  const join = state.kind === 'preparingRebalance' ? state.joins.get(memberId) : undefined
  const sync = state.kind === 'completingRebalance' ? state.syncs.get(memberId) : undefined
  draft.happen({ kind: 'memberLeft', memberId })
  if (join !== undefined) draft.reply(join, failedJoin(code, memberId))
  if (sync !== undefined) draft.reply(sync, failedSync(code))
  draft.disarm(sessionTimer(memberId))
  beginRebalance(draft)
  completeIfAllJoined(draft)
}

function removeUnsynced(draft: Draft, generation: number): void {
  const { state } = draft
  if (state.kind !== 'completingRebalance' && state.kind !== 'stable') return
  if (state.generation !== generation) return
  for (const memberId of state.unsynced) remove(draft, memberId)
}
