// From one generation to the next: a round of joins is opened, and closed when all members have
// joined or their time is up.

import { errors } from '@millrace/wire'
import {
  type Draft,
  type JoinReply,
  joinTimer,
  type SyncReply,
  sessionTimer,
  syncTimer,
} from './decision.ts'
import type { Completing, FirstRound, Preparing } from './group.ts'
import { electProtocol, longestRebalanceTimeout, type Member } from './members.ts'

/** Opens a round, unless one is open. Members that wait for an assignment are told to join. */
export function beginRebalance(draft: Draft): void {
  const { state } = draft
  if (state.kind === 'preparingRebalance' || state.kind === 'dead') return
  const firstRound = state.kind === 'empty' ? firstRoundOf(draft) : null
  const waiting = state.kind === 'completingRebalance' ? state.syncs : new Map<string, number>()
  draft.happen({ kind: 'rebalanceBegan', firstRound })
  for (const [memberId, ticket] of waiting) {
    draft.reply(ticket, failedSync(errors.rebalanceInProgress.code))
    draft.keepAlive(memberId)
  }
  draft.disarm(syncTimer)
  armRound(draft, firstRound)
}

/** Closes the round when nobody is missing. */
export function completeIfAllJoined(draft: Draft): void {
  const { state } = draft
  if (state.kind !== 'preparingRebalance' || state.firstRound !== null) return
  const isComplete = state.joins.size >= state.members.size && state.pendingIds.size === 0
  if (isComplete) completeRound(draft)
}

/** A new group looks around once more as long as it grows and has time for that. */
export function lookAgain(draft: Draft): void {
  const { state, nowMs, rules } = draft
  if (state.kind !== 'preparingRebalance' || state.firstRound === null) return
  const { untilMs, isGrowing } = state.firstRound
  const afterMs = Math.min(rules.groupInitialRebalanceDelayMs, untilMs - nowMs)
  const goesOn = isGrowing && afterMs > 0
  const firstRound = goesOn ? { untilMs, isGrowing: false } : null
  draft.happen({ kind: 'firstRoundLooked', firstRound })
  if (goesOn) draft.arm({ key: joinTimer, afterMs, request: { kind: 'firstRoundDue' } })
  else completeRound(draft)
}

/** Closes the round with those who have joined. Static members that have not are kept. */
export function completeRound(draft: Draft): void {
  removeAbsent(draft)
  const { state } = draft
  if (state.kind !== 'preparingRebalance') return
  if (state.members.size === 0) {
    becomeEmpty(draft)
    return
  }
  const leaderId = leaderOf(state)
  if (leaderId === undefined) {
    // Only static members are left, and none of them is here: their sessions decide.
    armRound(draft, null)
    return
  }
  formGeneration(draft, leaderId, state)
}

/** The reply that tells a member the generation; only the leader gets to know the others. */
export function joinedReply(draft: Draft, memberId: string): JoinReply {
  const { state } = draft
  return {
    kind: 'join',
    errorCode: errors.none.code,
    memberId,
    generation: state.generation,
    protocolType: state.protocolType,
    protocolName: state.protocolName,
    leaderId: state.leaderId ?? '',
    members: state.leaderId === memberId ? [...state.members.values()] : [],
    skipAssignment: false,
  }
}

export function failedSync(errorCode: number): SyncReply {
  const assignment = new Uint8Array(0)
  return { kind: 'sync', errorCode, protocolType: null, protocolName: null, assignment }
}

function firstRoundOf({ rules, state, nowMs }: Draft): FirstRound | null {
  if (rules.groupInitialRebalanceDelayMs <= 0) return null
  return { untilMs: nowMs + longestRebalanceTimeout(state.members), isGrowing: false }
}

function armRound(draft: Draft, firstRound: FirstRound | null): void {
  const roundMs = longestRebalanceTimeout(draft.state.members)
  if (firstRound === null) {
    draft.arm({ key: joinTimer, afterMs: roundMs, request: { kind: 'joinDue' } })
    return
  }
  const afterMs = Math.min(draft.rules.groupInitialRebalanceDelayMs, roundMs)
  draft.arm({ key: joinTimer, afterMs, request: { kind: 'firstRoundDue' } })
}

function removeAbsent(draft: Draft): void {
  const { state } = draft
  if (state.kind !== 'preparingRebalance') return
  for (const { memberId, groupInstanceId } of state.members.values()) {
    if (state.joins.has(memberId) || groupInstanceId !== null) continue
    draft.happen({ kind: 'memberLeft', memberId })
    draft.disarm(sessionTimer(memberId))
  }
}

function becomeEmpty(draft: Draft): void {
  draft.disarm(joinTimer)
  const { generation } = draft.state
  draft.happen({
    ...draft.settled([]),
    generation: generation + 1,
    protocolName: null,
    leaderId: null,
  })
}

/** The leader stays if it is here; else the first member that is. */
function leaderOf({ leaderId, joins, members }: Preparing): string | undefined {
  if (leaderId !== null && joins.has(leaderId)) return leaderId
  return [...members.keys()].find((memberId) => joins.has(memberId))
}

function formGeneration(draft: Draft, leaderId: string, { joins }: Preparing): void {
  const { members, generation } = draft.state
  draft.happen({
    kind: 'generationFormed',
    generation: generation + 1,
    protocolName: electProtocol(members),
    leaderId,
  })
  draft.disarm(joinTimer)
  for (const [memberId, ticket] of joins) {
    draft.reply(ticket, joinedReply(draft, memberId))
    draft.keepAlive(memberId)
  }
  draft.arm({
    key: syncTimer,
    afterMs: longestRebalanceTimeout(members),
    request: { kind: 'syncDue', generation: generation + 1 },
  })
}

/** The leader's assignment: every member gets its part, or an empty one. */
export function settle(
  draft: Draft,
  { syncs }: Completing,
  assignments: ReadonlyMap<string, Uint8Array>,
): void {
  const members = [...draft.state.members.values()].map((member): Member => {
    const assignment = assignments.get(member.memberId) ?? new Uint8Array(0)
    return { ...member, assignment }
  })
  draft.happen(draft.settled(members))
  for (const [memberId, ticket] of syncs) {
    draft.reply(ticket, syncedReply(draft, memberId))
    draft.keepAlive(memberId)
  }
}

export function syncedReply({ state }: Draft, memberId: string): SyncReply {
  return {
    kind: 'sync',
    errorCode: errors.none.code,
    protocolType: state.protocolType,
    protocolName: state.protocolName,
    assignment: state.members.get(memberId)?.assignment ?? new Uint8Array(0),
  }
}
