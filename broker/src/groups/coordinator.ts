// The shell around the groups: it asks them to decide, appends what is to be kept, applies it, sets
// the timers and sends the replies.
//
// A1. What a reply says is durable before the reply leaves: a commit that was acknowledged, or an
//     assignment that was handed out, is there after a crash.
// A2. A decision is applied in the same turn in which it was made, so that no other comes between.
// A3. Each timer belongs to a group and has a key; when the group goes, its timers go.

import { errors } from '@millrace/wire'
import type { BrokerSettings } from '../broker-settings.ts'
import type { Clock, Timer } from '../clock.ts'
import type { Disk } from '../disk/disk.ts'
import { offsetsRetentionCheckMs } from '../limits.ts'
import { decide } from './decide.ts'
import type { Answered, Decision, GroupReply, TimerChange } from './decision.ts'
import { evolve, type Ticket } from './group.ts'
import { type Group, GroupStore } from './group-store.ts'
import type { TopicCommits } from './offsets.ts'
import type { CommitRequest, GroupRequest, HeartbeatRequest } from './requests.ts'

export interface GroupCoordinatorOptions {
  readonly disk: Disk
  readonly settings: BrokerSettings
  readonly clock: Clock
  readonly report: (line: string) => void
}

/** The ticket of a request that is answered in the turn in which it came. */
const atOnce: Ticket = 0

export class GroupCoordinator implements AsyncDisposable {
  readonly #options: GroupCoordinatorOptions
  readonly #store: GroupStore
  readonly #timers = new Map<string, Map<string, Timer>>()
  readonly #waiting = new Map<Ticket, (reply: GroupReply) => void>()
  #retention: Timer | undefined
  #lastTicket = atOnce

  /** @throws JournalError when the journal is damaged or newer */
  static async open(options: GroupCoordinatorOptions): Promise<GroupCoordinator> {
    const { disk, report, settings } = options
    const store = await GroupStore.open({ disk, report, flush: settings.flush })
    const coordinator = new GroupCoordinator(options, store)
    for (const group of store.all) coordinator.#decide(group, { kind: 'loaded' })
    coordinator.#watchRetention()
    return coordinator
  }

  private constructor(options: GroupCoordinatorOptions, store: GroupStore) {
    this.#options = options
    this.#store = store
  }

  /** All groups, sorted by id. */
  get all(): readonly Group[] {
    return [...this.#store.all].sort((left, right) => (left.groupId < right.groupId ? -1 : 1))
  }

  find(groupId: string): Group | undefined {
    return this.#store.find(groupId)
  }

  /** Asks a group, made when it is missing; resolves with its reply, however long that takes. */
  ask(groupId: string, request: (ticket: Ticket) => GroupRequest): Promise<GroupReply> {
    const { promise, resolve } = Promise.withResolvers<GroupReply>()
    this.#lastTicket += 1
    const ticket = this.#lastTicket
    this.#waiting.set(ticket, resolve)
    this.#decide(this.#store.obtain(groupId), request(ticket))
    return promise
  }

  /** Takes a sign of life; returns Kafka's error code. */
  heartbeat(groupId: string, request: Omit<HeartbeatRequest, 'kind' | 'ticket'>): number {
    const group = this.#store.find(groupId)
    if (group === undefined) return errors.unknownMemberId.code
    return this.#answerAtOnce(group, { ...request, kind: 'heartbeat', ticket: atOnce })
  }

  /**
   * Saves how far a group has read. Resolves with Kafka's error code for the whole commit, when it
   * is durable (A1).
   */
  commit(
    groupId: string,
    claim: Omit<CommitRequest, 'kind' | 'ticket'>,
    topics: readonly TopicCommits[],
  ): Promise<number> | number {
    const known = this.#store.find(groupId)
    if (known === undefined && claim.generation >= 0) return errors.illegalGeneration.code
    const group = known ?? this.#store.obtain(groupId)
    const errorCode = this.#answerAtOnce(group, { ...claim, kind: 'commit', ticket: atOnce })
    if (errorCode !== errors.none.code || topics.length === 0) return errorCode
    const atMs = this.#options.clock.nowMs()
    return this.#store.append([{ kind: 'committed', groupId, atMs, topics }]).then(
      () => errors.none.code,
      (error: unknown) => {
        this.#reportFailure(groupId, error)
        return errors.coordinatorNotAvailable.code
      },
    )
  }

  /** Forgets a group without members; resolves with Kafka's error code. */
  async delete(groupId: string): Promise<number> {
    const group = this.#store.find(groupId)
    if (group === undefined) return errors.groupIdNotFound.code
    if (group.state.kind !== 'empty') return errors.nonEmptyGroup.code
    try {
      await this.#forgetGroup(groupId)
      return errors.none.code
    } catch (error) {
      this.#reportFailure(groupId, error)
      return errors.coordinatorNotAvailable.code
    }
  }

  /** Forgets what all groups committed for a topic that is deleted. */
  async forgetTopic(name: string): Promise<void> {
    for (const { groupId, offsets } of this.all) {
      const topics = offsets.ofTopic(name)
      if (topics.length > 0) await this.#store.append([{ kind: 'forgotten', groupId, topics }])
    }
  }

  async close(): Promise<void> {
    this.#retention?.cancel()
    for (const groupId of this.#timers.keys()) this.#cancelTimers(groupId)
    await this.#store.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #answerAtOnce(group: Group, request: HeartbeatRequest | CommitRequest): number {
    const { replies } = this.#decide(group, request)
    const answered = replies.find(({ ticket }) => ticket === atOnce)
    return answered?.reply.kind === 'plain'
      ? answered.reply.errorCode
      : errors.unknownServerError.code
  }

  /** A2 */
  #decide(group: Group, request: GroupRequest): Decision {
    const { settings: rules, clock } = this.#options
    const decision = decide(group.state, request, { rules, nowMs: clock.nowMs() })
    const { groupId } = group
    const appended: Promise<void>[] = []
    for (const event of decision.events) {
      if (event.kind === 'settled') {
        appended.push(this.#store.append([{ kind: 'settled', groupId, settled: event }]))
      } else {
        group.state = evolve(group.state, event)
      }
    }
    for (const change of decision.timers) this.#setTimer(groupId, change)
    this.#answer(groupId, decision.replies, appended)
    return decision
  }

  /** A1 */
  #answer(groupId: string, replies: readonly Answered[], appended: readonly Promise<void>[]): void {
    if (appended.length === 0) {
      for (const { ticket, reply } of replies) this.#send(ticket, reply)
      return
    }
    Promise.all(appended).then(
      () => {
        for (const { ticket, reply } of replies) this.#send(ticket, reply)
      },
      (error: unknown) => {
        this.#reportFailure(groupId, error)
        for (const { ticket, reply } of replies) this.#send(ticket, unavailable(reply))
      },
    )
  }

  #send(ticket: Ticket, reply: GroupReply): void {
    const resolve = this.#waiting.get(ticket)
    this.#waiting.delete(ticket)
    resolve?.(reply)
  }

  #setTimer(groupId: string, change: TimerChange): void {
    const timers = this.#timers.get(groupId) ?? new Map<string, Timer>()
    this.#timers.set(groupId, timers)
    timers.get(change.key)?.cancel()
    timers.delete(change.key)
    if (change.kind === 'disarm') return
    const fire = (): void => {
      timers.delete(change.key)
      const group = this.#store.find(groupId)
      if (group !== undefined) this.#decide(group, change.request)
    }
    timers.set(change.key, this.#options.clock.after(change.afterMs, fire))
  }

  /** A3 */
  #cancelTimers(groupId: string): void {
    for (const timer of this.#timers.get(groupId)?.values() ?? []) timer.cancel()
    this.#timers.delete(groupId)
  }

  async #forgetGroup(groupId: string): Promise<void> {
    this.#cancelTimers(groupId)
    await this.#store.append([{ kind: 'deleted', groupId }])
  }

  #watchRetention(): void {
    this.#retention = this.#options.clock.after(offsetsRetentionCheckMs, () => {
      this.#watchRetention()
      this.#applyRetention().catch((error: unknown) => this.#reportFailure('', error))
    })
  }

  /** Offsets are kept for their time from when their group became empty; so is the group. */
  async #applyRetention(): Promise<void> {
    const { clock, settings } = this.#options
    const cutoffMs = clock.nowMs() - settings.offsetsRetentionMs
    for (const { groupId, state, offsets } of this.all) {
      if (state.kind !== 'empty' || state.pendingIds.size > 0) continue
      if (state.settledAtMs >= cutoffMs) continue
      const topics = offsets.before(cutoffMs)
      if (topics.length > 0) await this.#store.append([{ kind: 'forgotten', groupId, topics }])
      if (offsets.isEmpty && this.#store.find(groupId)?.state.kind === 'empty') {
        await this.#forgetGroup(groupId)
      }
    }
  }

  #reportFailure(groupId: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    this.#options.report(`group "${groupId}": ${reason}`)
  }
}

/** The reply in the place of one that could not be made true. */
function unavailable(reply: GroupReply): GroupReply {
  const errorCode = errors.coordinatorNotAvailable.code
  if (reply.kind !== 'leave') return { ...reply, errorCode }
  return { ...reply, members: reply.members.map((member) => ({ ...member, errorCode })) }
}
