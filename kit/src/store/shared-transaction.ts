import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import type { Clock, Timer } from '../clock.ts'
import { MillraceError } from '../errors.ts'
import { sharedAskingLooksMax, sharedHeldMsMax, sharedScopesMax } from '../limits.ts'
import { Interference, type Interferer } from './interference.ts'
import { joined } from './last-write.ts'
import type { PostgresConnection } from './postgres-connection.ts'
import { connectionOf } from './query-connection.ts'
import { tooLong } from './store-error.ts'
import { TransactionUndone } from './transaction-undone.ts'
import type { PendingWrite, TakenTurn, TurnOptions } from './turn.ts'

/** How one that shared a transaction got on, for what is decided about those that are like it. */
export type Sharing =
  | 'committed'
  /** It failed, and took the others with it. */
  | 'failed'
  /** It kept those waiting that were ready. */
  | 'slow'
  /** It could have seen what another had done by half. */
  | 'interfered'

export interface SharedTransactionOptions {
  readonly connection: Pick<PostgresConnection, 'run' | 'executeQuery'>
  readonly clock: Clock
  /** Called once, when no member works any more: the next transaction may begin. */
  readonly worked: () => void
  /** Called once, at the very end. `isUsable` is of the connection. */
  readonly ended: (isUsable: boolean) => void
  readonly shared: (kind: string, how: Sharing) => void
}

/**
 * Some handlers' work in one transaction, on one connection: one BEGIN, one COMMIT and one fsync
 * for all, and their queries on the way at the same time.
 *
 * H1. All members commit, or none.
 * H2. A member's failed query, or its leaving after it wrote, undoes all. Its neighbours are told
 *     `by: 'another'`, and it is told `by: 'itself'`, because it may have been their doing.
 * H3. A member that wrote nothing leaves without a trace.
 * H4. It commits when each member has kept its turn or left, and takes no new one from the first
 *     kept turn on: nobody waits for those who come later.
 * H5. No member notices that it is not alone, but by its own query failing (see `Interference`).
 * H6. What members have left for the end is written together, when all of them are ready.
 * H7. A member is slow where it keeps those waiting that are ready, while no query of its own is
 *     on its way: that the database is slow, or this process stood still, is not its doing.
 */
export class SharedTransaction {
  readonly #options: SharedTransactionOptions
  readonly #working = new Set<Member>()
  readonly #ready: Member[] = []
  readonly #pending: PendingWrite[] = []
  readonly #interference = new Interference()
  readonly #timer: Timer
  /** Looks who keeps the others waiting, from the first kept turn on. */
  #look: Timer | null = null
  #joined = 0
  #isOver = false

  constructor(options: SharedTransactionOptions, heldMsMax: number) {
    this.#options = options
    // A connection that fails here fails the query behind it, which tells.
    options.connection.run('begin').catch(() => {})
    this.#timer = options.clock.after(heldMsMax, () => this.#expire())
  }

  /** H4. */
  get isAccepting(): boolean {
    return !this.#isOver && this.#ready.length === 0 && this.#joined < sharedScopesMax
  }

  join(kind: string, options: TurnOptions): TakenTurn {
    const member = new Member(kind, options)
    this.#joined += 1
    this.#working.add(member)
    const isHeld = (): boolean => this.#working.has(member)
    return {
      turn: {
        get isHeld() {
          return isHeld()
        },
        keep: () => this.#keep(member, null),
        drop: () => this.#drop(member),
      },
      keepWith: (pending) => this.#keep(member, pending),
      connection: this.#connectionOf(member, true),
      hooksConnection: this.#connectionOf(member, false),
    }
  }

  #connectionOf(member: Member, isUsers: boolean): DatabaseConnection {
    return connectionOf(<Row>(query: CompiledQuery) => this.#execute<Row>(member, query, isUsers))
  }

  async #execute<Row>(
    member: Member,
    query: CompiledQuery,
    isUsers: boolean,
  ): Promise<QueryResult<Row>> {
    if (isUsers && !this.#interference.admit(member, query)) {
      this.#options.shared(member.kind, 'interfered') // H5
      throw this.#undo(member, new TransactionUndone(interfered(member.options), 'itself'))
    }
    member.sent(query)
    let result: QueryResult<Row>
    try {
      result = await this.#options.connection.executeQuery<Row>(query)
    } catch (error) {
      throw this.#failed(member, error)
    } finally {
      member.asking -= 1
    }
    member.answered(query, result)
    return result
  }

  /** What a failed query throws: its own error, unless it only followed from another's. */
  #failed(member: Member, error: unknown): unknown {
    if (this.#isOver) return member.undone ?? error
    if (isOutage(error)) {
      this.#lose(error)
      return error
    }
    this.#options.shared(member.kind, 'failed')
    const undone = new TransactionUndone(
      `${member.options.name}: its query failed`,
      'itself',
      error,
    )
    this.#undo(member, undone)
    return error
  }

  #keep(member: Member, pending: PendingWrite | null): Promise<void> {
    if (!this.#working.delete(member)) {
      return Promise.reject(member.undone ?? ended(member.options.name))
    }
    this.#ready.push(member)
    if (pending !== null) this.#pending.push(pending)
    if (this.#working.size === 0) void this.#commit()
    else if (this.#look === null) this.#lookLater(1)
    return member.kept
  }

  /** H7. A query that is on its way for several looks is slow by itself, or waits for a lock. */
  #lookLater(looks: number): void {
    const { clock, shared } = this.#options
    this.#look = clock.after(sharedHeldMsMax, () => {
      for (const { kind, asking } of this.#working) {
        if (asking === 0 || looks >= sharedAskingLooksMax) shared(kind, 'slow')
      }
      this.#lookLater(looks + 1)
    })
  }

  async #drop(member: Member): Promise<void> {
    if (!this.#working.has(member)) return
    if (member.hasWritten) {
      this.#options.shared(member.kind, 'failed')
      const message = `${member.options.name}: it was rolled back`
      this.#undo(member, this.#joined > 1 ? new TransactionUndone(message, 'itself') : null)
      return
    }
    this.#working.delete(member) // H3
    if (this.#working.size === 0) await this.#commit()
  }

  /** H1, H2. Returns what the one who caused it is told. */
  #undo(culprit: Member, told: TransactionUndone | null): TransactionUndone | null {
    const others = [...this.#working, ...this.#ready].filter((member) => member !== culprit)
    culprit.lose(told)
    for (const member of others) {
      const message = `${member.options.name}: undone with "${culprit.options.name}"`
      member.lose(new TransactionUndone(`${message}, whose transaction it shared`, 'another'))
    }
    this.#rollBack()
    return told
  }

  /** The database is gone: that is nobody's doing. */
  #lose(error: Error): void {
    for (const member of [...this.#working, ...this.#ready]) member.lose(error)
    this.#rollBack()
  }

  #expire(): void {
    const held = [...this.#working]
    const [first] = held
    if (first === undefined) return
    for (const member of held) {
      this.#options.shared(member.kind, 'slow')
      member.lose(tooLong(member.options))
    }
    this.#undo(first, null)
  }

  async #commit(): Promise<void> {
    this.#over()
    if (!(await this.#hasWrittenLast())) return
    try {
      const command = await this.#options.connection.run('commit')
      // COMMIT of a transaction that has failed is answered as if it were well.
      if (command !== 'COMMIT') throw new Error(`COMMIT was answered by ${command}`)
    } catch (error) {
      const isKnown = !isOutage(error)
      for (const member of this.#ready)
        member.lose(isKnown ? unsure(member, error) : asError(error))
      this.#options.ended(isKnown)
      return
    }
    for (const member of this.#ready) {
      this.#options.shared(member.kind, 'committed')
      member.keep()
    }
    this.#options.ended(true)
  }

  /** H6. */
  async #hasWrittenLast(): Promise<boolean> {
    const [first] = this.#pending
    if (first === undefined) return true
    try {
      for (const last of joined(this.#pending.map((pending) => pending.last))) {
        await last.write(first.db)
      }
      return true
    } catch (error) {
      for (const member of this.#ready) {
        member.lose(isOutage(error) ? asError(error) : unsure(member, error))
      }
      this.#giveBack()
      return false
    }
  }

  #rollBack(): void {
    // A query may come late, after another member has undone all: it goes back only once.
    if (this.#isOver) return
    this.#working.clear()
    this.#ready.length = 0
    this.#giveBack()
    this.#over()
  }

  #giveBack(): void {
    const { connection, ended: end } = this.#options
    connection.run('rollback').then(
      () => end(true),
      () => end(false),
    )
  }

  #over(): void {
    this.#isOver = true
    this.#timer.cancel()
    this.#look?.cancel()
    this.#options.worked()
  }
}

/** One that shares: what it did so far, and what has become of it. */
class Member implements Interferer {
  readonly kind: string
  readonly options: TurnOptions
  readonly kept: Promise<void>
  readonly keep: () => void
  /** Queries on their way. */
  asking = 0
  readonly #reject: (reason: Error) => void
  #writes = 0
  #undone: Error | null = null

  constructor(kind: string, options: TurnOptions) {
    this.kind = kind
    this.options = options
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // A member that has not kept its turn waits for nothing.
    promise.catch(() => {})
    this.kept = promise
    this.keep = resolve
    this.#reject = reject
  }

  get undone(): Error | null {
    return this.#undone
  }

  /** Counts a query on its way as a write, unless it is known to change nothing. */
  get hasWritten(): boolean {
    return this.#writes > 0
  }

  sent({ query }: CompiledQuery): void {
    this.asking += 1
    if (query.kind !== 'SelectQueryNode') this.#writes += 1
  }

  answered<Row>({ query }: CompiledQuery, { numAffectedRows }: QueryResult<Row>): void {
    if (query.kind !== 'SelectQueryNode' && numAffectedRows === 0n) this.#writes -= 1
  }

  /** The first reason stands; null where there is nothing to tell it that it does not know. */
  lose(reason: Error | null): void {
    if (reason === null || this.#undone !== null) return
    this.#undone = reason
    this.options.lost(reason)
    this.#reject(reason)
  }
}

/** A COMMIT that was refused: a deferred constraint, for example, of nobody knows whom. */
function unsure({ options }: Member, cause: unknown): TransactionUndone {
  return new TransactionUndone(`${options.name}: the shared COMMIT failed`, 'itself', cause)
}

function interfered({ name }: TurnOptions): string {
  return `${name}: another could have seen what it had done by half, so it is run alone`
}

function ended(name: string): MillraceError {
  return new MillraceError('transaction-closed', `the transaction "${name}" has ended`)
}

/** An error of the database as a whole, not of one query that met a lock. */
function isOutage(error: unknown): error is MillraceError {
  if (!(error instanceof MillraceError)) return false
  return error.code !== 'store-conflict' && error.code !== 'store-busy'
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
