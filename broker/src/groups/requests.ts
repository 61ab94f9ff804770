import type { Ticket } from './group.ts'
import type { Protocol } from './members.ts'

/** Whom a request claims to come from. */
export interface Claim {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface JoinRequest extends Claim {
  readonly kind: 'join'
  readonly ticket: Ticket
  /** For a member that has none yet. */
  readonly newMemberId: string
  /** A new dynamic member is given its id first, and must come again with it (KIP-394). */
  readonly asksForId: boolean
  /** The client knows `skipAssignment` (KIP-814). */
  readonly canSkipAssignment: boolean
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
}

export interface SyncRequest extends Claim {
  readonly kind: 'sync'
  readonly ticket: Ticket
  readonly generation: number
  /** `null` where the client is too old to say. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  /** Only the leader's count. */
  readonly assignments: ReadonlyMap<string, Uint8Array>
}

export interface HeartbeatRequest extends Claim {
  readonly kind: 'heartbeat'
  readonly ticket: Ticket
  readonly generation: number
}

export interface LeaveRequest {
  readonly kind: 'leave'
  readonly ticket: Ticket
  readonly members: readonly Claim[]
}

/** Asks whether this member may commit offsets now. */
export interface CommitRequest extends Claim {
  readonly kind: 'commit'
  readonly ticket: Ticket
  /** -1 for a client that commits without being a member. */
  readonly generation: number
}

/** Everything upon which a group decides. */
export type GroupRequest =
  | JoinRequest
  | SyncRequest
  | HeartbeatRequest
  | LeaveRequest
  | CommitRequest
  /** The group was read from the journal. */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'sessionExpired'; readonly memberId: string }
  | { readonly kind: 'memberIdLapsed'; readonly memberId: string }
  /** The time for joining is up. */
  | { readonly kind: 'joinDue' }
  /** The time that a new group waits for more members is up, for now. */
  | { readonly kind: 'firstRoundDue' }
  /** The time for asking for an assignment is up. */
  | { readonly kind: 'syncDue'; readonly generation: number }
