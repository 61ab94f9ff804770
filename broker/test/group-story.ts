// One group, told as a story: requests come in, time passes by hand, replies are looked at. Nothing
// here is real but `decide` and `evolve`.

import assert from 'node:assert/strict'
import { decide } from '../src/groups/decide.ts'
import type {
  GroupReply,
  GroupRules,
  JoinReply,
  LeaveReply,
  SyncReply,
} from '../src/groups/decision.ts'
import { evolve, type GroupState, noGroup, type Settled, type Ticket } from '../src/groups/group.ts'
import type { Claim, GroupRequest, JoinRequest } from '../src/groups/requests.ts'

const text = new TextEncoder()

export interface JoinWish {
  readonly memberId?: string
  readonly groupInstanceId?: string
  /** What the member wants to read, the same for each of its protocols. */
  readonly metadata?: string | Uint8Array
  readonly protocols?: readonly string[]
  readonly protocolType?: string
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly asksForId?: boolean
  readonly canSkipAssignment?: boolean
}

export class GroupStory {
  readonly rules: GroupRules
  readonly #replies = new Map<Ticket, GroupReply>()
  readonly #timers = new Map<string, { readonly atMs: number; readonly request: GroupRequest }>()
  readonly #journal: Settled[] = []
  #state: GroupState = noGroup
  #nowMs = 0
  #lastTicket = 0

  constructor(rules: Partial<GroupRules> = {}) {
    this.rules = { groupMaxSize: 100, groupInitialRebalanceDelayMs: 0, ...rules }
  }

  get state(): GroupState {
    return this.#state
  }

  /** Asks to join; `name` becomes the member's id where it has none. */
  join(name: string, wish: JoinWish = {}): () => JoinReply | undefined {
    const wanted = wish.metadata ?? name
    const metadata = typeof wanted === 'string' ? text.encode(wanted) : wanted
    const request = {
      kind: 'join',
      newMemberId: name,
      memberId: wish.memberId ?? '',
      groupInstanceId: wish.groupInstanceId ?? null,
      asksForId: wish.asksForId ?? false,
      canSkipAssignment: wish.canSkipAssignment ?? false,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: wish.sessionTimeoutMs ?? 10_000,
      rebalanceTimeoutMs: wish.rebalanceTimeoutMs ?? 60_000,
      protocolType: wish.protocolType ?? 'consumer',
      protocols: (wish.protocols ?? ['range']).map((protocol) => ({ name: protocol, metadata })),
    } satisfies Omit<JoinRequest, 'ticket'>
    const ticket = this.#ask((ticket) => ({ ...request, ticket }))
    return () => this.#replyOf(ticket, 'join')
  }

  /** A known member joins again, with what it wanted before unless the wish says otherwise. */
  rejoin(name: string, wish: JoinWish = {}): () => JoinReply | undefined {
    return this.join(name, { ...wish, memberId: name })
  }

  /** Asks for an assignment; a leader says what everybody gets. */
  sync(
    memberId: string,
    assignments: Readonly<Record<string, string>> = {},
    { generation = this.#state.generation, ...claim }: Partial<Claim & { generation: number }> = {},
  ): () => SyncReply | undefined {
    const parts = Object.entries(assignments)
    const ticket = this.#ask((ticket) => ({
      kind: 'sync',
      ticket,
      memberId,
      groupInstanceId: claim.groupInstanceId ?? null,
      generation,
      protocolType: null,
      protocolName: null,
      assignments: new Map(parts.map(([member, assignment]) => [member, text.encode(assignment)])),
    }))
    return () => this.#replyOf(ticket, 'sync')
  }

  /** Returns the error code. */
  heartbeat(
    memberId: string,
    { generation = this.#state.generation, groupInstanceId = null as string | null } = {},
  ): number {
    const claim = { memberId, groupInstanceId, generation }
    return this.#code(this.#ask((ticket) => ({ ...claim, kind: 'heartbeat', ticket })))
  }

  /** Returns the error code. */
  commit(memberId: string, generation = this.#state.generation): number {
    const claim = { memberId, groupInstanceId: null, generation }
    return this.#code(this.#ask((ticket) => ({ ...claim, kind: 'commit', ticket })))
  }

  /** Returns the error code of each member. */
  leave(...members: readonly (string | Claim)[]): readonly number[] {
    const claims = members.map((member) =>
      typeof member === 'string' ? { memberId: member, groupInstanceId: null } : member,
    )
    const ticket = this.#ask((ticket) => ({ kind: 'leave', ticket, members: claims }))
    const reply: LeaveReply | undefined = this.#replyOf(ticket, 'leave')
    assert.ok(reply !== undefined)
    return reply.members.map(({ errorCode }) => errorCode)
  }

  /** Lets time pass; what falls due on the way is decided upon, in order. */
  pass(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= untilMs)
      const [next] = due.sort(([, left], [, right]) => left.atMs - right.atMs)
      if (next === undefined) break
      const [key, { atMs, request }] = next
      this.#timers.delete(key)
      this.#nowMs = atMs
      this.#decide(request)
    }
    this.#nowMs = untilMs
  }

  /** The broker dies and comes back: what the journal holds is all there is. */
  restart(): void {
    this.#timers.clear()
    this.#replies.clear()
    this.#state = this.#journal.reduce(evolve, noGroup)
    this.#decide({ kind: 'loaded' })
  }

  /** Brings members to a stable generation, the first of them leading. */
  settle(...names: readonly string[]): void {
    for (const name of names) this.join(name)
    for (const name of names) if (this.#state.members.has(name)) this.rejoin(name)
    const [leader = ''] = names
    for (const name of names) if (name !== leader) this.sync(name)
    this.sync(leader, Object.fromEntries(names.map((name) => [name, `part of ${name}`])))
    assert.equal(this.#state.kind, 'stable')
  }

  #ask(request: (ticket: Ticket) => GroupRequest): Ticket {
    this.#lastTicket += 1
    const ticket = this.#lastTicket
    this.#decide(request(ticket))
    return ticket
  }

  #decide(request: GroupRequest): void {
    const { rules } = this
    const decision = decide(this.#state, request, { rules, nowMs: this.#nowMs })
    for (const event of decision.events) {
      this.#state = evolve(this.#state, event)
      if (event.kind === 'settled') this.#journal.push(event)
    }
    const { length } = decision.events
    const kept = decision.events.findIndex(({ kind }) => kind === 'settled')
    assert.ok(kept === -1 || kept === length - 1, 'what is for the journal comes last')
    for (const change of decision.timers) {
      this.#timers.delete(change.key)
      if (change.kind === 'disarm') continue
      const atMs = this.#nowMs + change.afterMs
      this.#timers.set(change.key, { atMs, request: change.request })
    }
    for (const { ticket, reply } of decision.replies) {
      assert.ok(!this.#replies.has(ticket), `ticket ${ticket} is answered twice`)
      this.#replies.set(ticket, reply)
    }
  }

  #replyOf<Kind extends GroupReply['kind']>(
    ticket: Ticket,
    kind: Kind,
  ): Extract<GroupReply, { kind: Kind }> | undefined {
    const reply = this.#replies.get(ticket)
    if (reply === undefined) return undefined
    assert.ok(isOf(reply, kind))
    return reply
  }

  #code(ticket: Ticket): number {
    const reply = this.#replyOf(ticket, 'plain')
    assert.ok(reply !== undefined)
    return reply.errorCode
  }
}

function isOf<Kind extends GroupReply['kind']>(
  reply: GroupReply,
  kind: Kind,
): reply is Extract<GroupReply, { kind: Kind }> {
  return reply.kind === kind
}

/** What an assignment says. */
export function assignmentOf(reply: SyncReply | undefined): string | undefined {
  return reply === undefined ? undefined : new TextDecoder().decode(reply.assignment)
}
