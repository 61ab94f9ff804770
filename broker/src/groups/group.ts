// The state of one group, and how facts change it. Pure: no time, no chance, no disk.
//
// G1. State changes by `evolve` and by nothing else. `settled` and `deleted` are kept in the
//     journal and replayed on restart; the other facts live as long as their connections do.
// G2. A state goes only where `transitions` lets it.
// G3. Whoever waits for a reply is in the state: a ticket in `joins` or `syncs`. A fact that takes
//     the ticket away comes with its reply.
// G4. Members keep the order in which they came; the first is the leader until it goes.

import assert from 'node:assert/strict'
import type { Member, Members } from './members.ts'
import { transitions } from './states.ts'

/** Names one waiting request to the coordinator, which keeps the way to answer it. */
export type Ticket = number

interface Roster {
  readonly protocolType: string | null
  readonly generation: number
  readonly protocolName: string | null
  readonly leaderId: string | null
  readonly members: Members
  /** Ids that were given to members which have not joined with them yet (KIP-394). */
  readonly pendingIds: ReadonlySet<string>
  /** When the group got into its last settled state, in milliseconds since the epoch. */
  readonly settledAtMs: number
}

export interface Preparing extends Roster {
  readonly kind: 'preparingRebalance'
  /** Who has joined this round, and waits. */
  readonly joins: ReadonlyMap<string, Ticket>
  /** A new group may wait for more members, at most until then; `null` when it does not. */
  readonly firstRound: FirstRound | null
}

export interface FirstRound {
  readonly untilMs: number
  /** Whether somebody has joined since the group last looked. */
  readonly isGrowing: boolean
}

export interface Completing extends Roster {
  readonly kind: 'completingRebalance'
  readonly syncs: ReadonlyMap<string, Ticket>
  /** Who has not asked for its assignment yet. */
  readonly unsynced: ReadonlySet<string>
}

export interface Stable extends Roster {
  readonly kind: 'stable'
  readonly unsynced: ReadonlySet<string>
}

export type GroupState =
  | (Roster & { readonly kind: 'empty' })
  | Preparing
  | Completing
  | Stable
  | (Roster & { readonly kind: 'dead' })

/** What the journal keeps of a group: a generation with its assignments, or that it is empty. */
export interface Settled {
  readonly kind: 'settled'
  readonly protocolType: string | null
  readonly generation: number
  readonly protocolName: string | null
  readonly leaderId: string | null
  readonly members: readonly Member[]
  readonly atMs: number
}

export type GroupEvent =
  | { readonly kind: 'memberIdGiven'; readonly memberId: string }
  | { readonly kind: 'memberIdLapsed'; readonly memberId: string }
  /** New, or known with other protocols or timeouts. */
  | { readonly kind: 'memberJoined'; readonly member: Member; readonly protocolType: string }
  | { readonly kind: 'memberReplaced'; readonly from: string; readonly to: Member }
  | { readonly kind: 'memberLeft'; readonly memberId: string }
  | { readonly kind: 'rebalanceBegan'; readonly firstRound: FirstRound | null }
  | { readonly kind: 'firstRoundLooked'; readonly firstRound: FirstRound | null }
  | { readonly kind: 'joinParked'; readonly memberId: string; readonly ticket: Ticket }
  | {
      readonly kind: 'generationFormed'
      readonly generation: number
      readonly protocolName: string | null
      readonly leaderId: string
    }
  | { readonly kind: 'syncParked'; readonly memberId: string; readonly ticket: Ticket }
  | { readonly kind: 'synced'; readonly memberId: string }
  | Settled
  | { readonly kind: 'deleted' }

export const noGroup: GroupState = {
  kind: 'empty',
  protocolType: null,
  generation: 0,
  protocolName: null,
  leaderId: null,
  members: new Map(),
  pendingIds: new Set(),
  settledAtMs: 0,
}

/** The state after a fact. */
export function evolve(state: GroupState, event: GroupEvent): GroupState {
  const next = apply(state, event)
  const isAllowed = next.kind === state.kind || transitions[state.kind].includes(next.kind)
  // A restart goes from one settled state to the next, without the rounds between them.
  const isReplay = event.kind === 'settled' && (state.kind === 'empty' || state.kind === 'stable')
  assert(isAllowed || isReplay, `${event.kind} takes a group from ${state.kind} to ${next.kind}`) // G2
  return next
}

function apply(state: GroupState, event: GroupEvent): GroupState {
  switch (event.kind) {
    case 'memberIdGiven':
      return { ...state, pendingIds: withId(state.pendingIds, event.memberId) }
    case 'memberIdLapsed':
      return { ...state, pendingIds: withoutId(state.pendingIds, event.memberId) }
    case 'memberJoined':
      return memberJoined(state, event.member, event.protocolType)
    case 'memberReplaced':
      return memberReplaced(state, event.from, event.to)
    case 'memberLeft':
      return memberLeft(state, event.memberId)
    case 'rebalanceBegan':
      return {
        ...rosterOf(state),
        members: withoutAssignments(state.members),
        kind: 'preparingRebalance',
        joins: new Map(),
        firstRound: event.firstRound,
      }
    case 'firstRoundLooked':
      assert(state.kind === 'preparingRebalance')
      return { ...state, firstRound: event.firstRound }
    case 'joinParked':
      assert(state.kind === 'preparingRebalance')
      return { ...state, joins: new Map(state.joins).set(event.memberId, event.ticket) }
    case 'generationFormed':
      return {
        ...rosterOf(state),
        generation: event.generation,
        protocolName: event.protocolName,
        leaderId: event.leaderId,
        kind: 'completingRebalance',
        syncs: new Map(),
        unsynced: new Set(state.members.keys()),
      }
    case 'syncParked':
      assert(state.kind === 'completingRebalance')
      return {
        ...state,
        syncs: new Map(state.syncs).set(event.memberId, event.ticket),
        unsynced: withoutId(state.unsynced, event.memberId),
      }
    case 'synced':
      assert(state.kind === 'stable')
      return { ...state, unsynced: withoutId(state.unsynced, event.memberId) }
    case 'settled':
      return settled(state, event)
    case 'deleted':
      return { ...rosterOf(noGroup), kind: 'dead' }
    default:
      return event satisfies never
  }
}

function memberJoined(state: GroupState, member: Member, protocolType: string): GroupState {
  const isNew = !state.members.has(member.memberId)
  const joined = {
    protocolType: state.members.size === 0 ? protocolType : state.protocolType,
    leaderId: state.leaderId ?? member.memberId, // G4
    members: new Map(state.members).set(member.memberId, member),
    pendingIds: withoutId(state.pendingIds, member.memberId),
  }
  if (state.kind !== 'preparingRebalance') return { ...state, ...joined }
  const { firstRound } = state
  const isGrowing = isNew && firstRound !== null
  return {
    ...state,
    ...joined,
    firstRound: isGrowing ? { ...firstRound, isGrowing } : firstRound,
  }
}

function memberReplaced(state: GroupState, from: string, to: Member): GroupState {
  const without = memberLeft(state, from)
  const entries = [...state.members].map(([memberId, member]): [string, Member] =>
    memberId === from ? [to.memberId, to] : [memberId, member],
  )
  const replaced = {
    members: new Map(entries), // G4
    leaderId: state.leaderId === from ? to.memberId : state.leaderId,
  }
  return { ...without, ...replaced }
}

function memberLeft(state: GroupState, memberId: string): GroupState {
  const members = withoutKey(state.members, memberId)
  const [first = null] = members.keys()
  const leaderId = state.leaderId === memberId ? first : state.leaderId // G4
  switch (state.kind) {
    case 'preparingRebalance':
      return { ...state, members, leaderId, joins: withoutKey(state.joins, memberId) }
    case 'completingRebalance':
      return {
        ...state,
        members,
        leaderId,
        syncs: withoutKey(state.syncs, memberId),
        unsynced: withoutId(state.unsynced, memberId),
      }
    case 'stable':
      return { ...state, members, leaderId, unsynced: withoutId(state.unsynced, memberId) }
    case 'empty':
    case 'dead':
      return state
    default:
      return state satisfies never
  }
}

function settled(state: GroupState, event: Settled): GroupState {
  const roster: Roster = {
    protocolType: event.protocolType,
    generation: event.generation,
    protocolName: event.protocolName,
    leaderId: event.leaderId,
    members: new Map(event.members.map((member) => [member.memberId, member])),
    pendingIds: state.pendingIds,
    settledAtMs: event.atMs,
  }
  if (event.members.length === 0) return { ...roster, kind: 'empty' }
  const isLive = state.kind === 'completingRebalance' || state.kind === 'stable'
  return { ...roster, kind: 'stable', unsynced: isLive ? state.unsynced : new Set() }
}

/** What all states have, without what belongs to one of them. */
function rosterOf(state: GroupState): Roster {
  const { protocolType, generation, protocolName, leaderId } = state
  const { members, pendingIds, settledAtMs } = state
  return { protocolType, generation, protocolName, leaderId, members, pendingIds, settledAtMs }
}

function withoutAssignments(members: Members): Members {
  const assignment = new Uint8Array(0)
  return new Map([...members].map(([memberId, member]) => [memberId, { ...member, assignment }]))
}

function withId(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return new Set(ids).add(id)
}

function withoutId(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  if (!ids.has(id)) return ids
  const rest = new Set(ids)
  rest.delete(id)
  return rest
}

function withoutKey<Value>(
  map: ReadonlyMap<string, Value>,
  key: string,
): ReadonlyMap<string, Value> {
  const rest = new Map(map)
  rest.delete(key)
  return rest
}
