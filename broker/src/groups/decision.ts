// What a group decides: facts, replies and timers. Deciding changes nothing; it works on a draft
// of the state, so that a step sees what the steps before it made of it.

import { evolve, type GroupEvent, type GroupState, type Settled, type Ticket } from './group.ts'
import type { Member } from './members.ts'
import type { GroupRequest } from './requests.ts'

export interface JoinReply {
  readonly kind: 'join'
  readonly errorCode: number
  readonly memberId: string
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string
  /** All members for the leader; nobody for the others. */
  readonly members: readonly Member[]
  /** Tells a leader that came back to leave the assignment as it is (KIP-814). */
  readonly skipAssignment: boolean
}

export interface SyncReply {
  readonly kind: 'sync'
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Uint8Array
}

export interface LeaveReply {
  readonly kind: 'leave'
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly errorCode: number
  }[]
}

/** A reply that says nothing but an error, or that there was none. */
export interface PlainReply {
  readonly kind: 'plain'
  readonly errorCode: number
}

export type GroupReply = JoinReply | SyncReply | LeaveReply | PlainReply

export interface Answered {
  readonly ticket: Ticket
  readonly reply: GroupReply
}

/** Timers have keys; arming one that is armed replaces it. */
export type TimerChange =
  | {
      readonly kind: 'arm'
      readonly key: string
      readonly afterMs: number
      /** Decided upon when the time has come. */
      readonly request: GroupRequest
    }
  | { readonly kind: 'disarm'; readonly key: string }

export interface Decision {
  /** Applied first, in this order. A fact for the journal is the last one, if there is one. */
  readonly events: readonly GroupEvent[]
  readonly timers: readonly TimerChange[]
  /** Sent when the events are applied, and those for the journal are durable. */
  readonly replies: readonly Answered[]
}

/** What every step of a decision is given. */
export interface GroupRules {
  readonly groupMaxSize: number
  readonly groupInitialRebalanceDelayMs: number
}

export const joinTimer = 'join'
export const syncTimer = 'sync'

export function sessionTimer(memberId: string): string {
  return `session:${memberId}`
}

export function pendingTimer(memberId: string): string {
  return `pending:${memberId}`
}

export class Draft implements Decision {
  readonly events: GroupEvent[] = []
  readonly timers: TimerChange[] = []
  readonly replies: Answered[] = []
  readonly rules: GroupRules
  readonly nowMs: number
  #state: GroupState

  constructor(state: GroupState, rules: GroupRules, nowMs: number) {
    this.#state = state
    this.rules = rules
    this.nowMs = nowMs
  }

  get state(): GroupState {
    return this.#state
  }

  happen(event: GroupEvent): void {
    this.events.push(event)
    this.#state = evolve(this.#state, event)
  }

  reply(ticket: Ticket, reply: GroupReply): void {
    this.replies.push({ ticket, reply })
  }

  arm(timer: Omit<Extract<TimerChange, { kind: 'arm' }>, 'kind'>): void {
    this.timers.push({ kind: 'arm', ...timer })
  }

  disarm(key: string): void {
    this.timers.push({ kind: 'disarm', key })
  }

  /** A sign of life: the member's session begins anew, unless the member waits for a reply. */
  keepAlive(memberId: string): void {
    const { state } = this
    const member = state.members.get(memberId)
    if (member === undefined) return
    if (state.kind === 'preparingRebalance' && state.joins.has(memberId)) return
    if (state.kind === 'completingRebalance' && state.syncs.has(memberId)) return
    this.arm({
      key: sessionTimer(memberId),
      afterMs: member.sessionTimeoutMs,
      request: { kind: 'sessionExpired', memberId },
    })
  }

  /** The fact for the journal that holds the whole state as it is now. */
  settled(members: readonly Member[]): Settled {
    const { protocolType, generation, protocolName, leaderId } = this.state
    return {
      kind: 'settled',
      protocolType,
      generation,
      protocolName,
      leaderId,
      members,
      atMs: this.nowMs,
    }
  }
}
