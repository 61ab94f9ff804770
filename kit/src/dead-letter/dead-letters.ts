import type { Transaction } from 'kysely'
import { MillraceError } from '../errors.ts'
import { recordForgone } from '../inbox/inbox.ts'
import { listedLettersMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { type DeadLetter, deadLetterOf } from './announcement.ts'
import { headOf, type Letter, lockKeys, updateLetter } from './letters.ts'
import type { Parking } from './parking.ts'

/**
 * Which dead letters are meant: one, those of a key, or all of the service; at most
 * `listedLettersMax`, the oldest, so that one transaction does not hold the writer too long.
 */
export interface DeadLetterTarget {
  /** A letter's id. To redrive one that stands behind others redrives its key, from the first. */
  readonly id?: string
  /** A key, on every stream that holds it back. */
  readonly key?: string
}

export interface DeadLetterResult {
  /** How many letters will be tried again, or were given up for good. */
  readonly letters: number
  /** True where some come out of the order in which they were said: rejected and skipped ones. */
  readonly isOutOfOrder: boolean
}

/** What a service's operator may do with what was put aside. */
export interface DeadLetters {
  /** Oldest first, at most `listedLettersMax`. */
  list(): Promise<readonly DeadLetter[]>
  /**
   * Tries letters again, at once and with all their attempts, each key in its order; what
   * arrives meanwhile goes behind. Throws `dead-letter-unknown` for an id or key without any.
   */
  redrive(target: DeadLetterTarget): Promise<DeadLetterResult>
  /** Gives letters up for good: they count as handled, and those behind them go on. */
  discard(target: DeadLetterTarget): Promise<DeadLetterResult>
}

export interface DeadLetterOffice extends DeadLetters {
  /** As `redrive` and `discard`, inside a transaction; the result's `after` is for its commit. */
  carryOut(
    db: Transaction<KitTables>,
    action: 'redrive' | 'discard',
    target: DeadLetterTarget,
  ): Promise<DeadLetterResult & { readonly after: () => void }>
}

export interface OfficeOptions {
  readonly tools: DeliveryTools
  readonly parking: Parking
  /** Looks for due letters. */
  readonly wake: () => void
}

export function openDeadLetterOffice({ tools, parking, wake }: OfficeOptions): DeadLetterOffice {
  const { store, clock, service, random } = tools
  const announcer = { service: service.name, group: service.group, clock, random }

  const office: DeadLetterOffice = {
    async list() {
      const letters = await store.read
        .selectFrom('millrace_dead_letters')
        .select(listedColumns)
        .orderBy('id')
        .limit(listedLettersMax)
        .execute()
      return letters.map((letter) => deadLetterOf(letter, announcer))
    },
    redrive: (target) => carryOutAlone('redrive', target),
    discard: (target) => carryOutAlone('discard', target),
    async carryOut(db, action, target) {
      const letters = await lettersMeant(db, target)
      await lockKeys(db, letters, store.dialect) // D3
      const carryOut = action === 'redrive' ? redriveLetters : discardLetters
      const { count, after } = await carryOut(db, { tools, parking, letters, target })
      return {
        letters: count,
        isOutOfOrder: action === 'redrive' && letters.some((letter) => letter.held_key === null),
        after: () => {
          after()
          wake()
        },
      }
    },
  }

  async function carryOutAlone(action: 'redrive' | 'discard', target: DeadLetterTarget) {
    const { after, ...result } = await store.transaction(`${action} dead letters`, (db) =>
      office.carryOut(db, action, target),
    )
    after()
    return result
  }

  return office
}

/** All but the record's own bytes, which a list does not show. */
const listedColumns = [
  'letter_id',
  'state',
  'due_at_ms',
  'subscription',
  'stream',
  'held_key',
  'event_id',
  'event_type',
  'correlation_id',
  'attempts',
  'reason',
  'parked_at_ms',
  'topic',
  'partition',
  'record_offset',
] as const

async function lettersMeant(
  db: Transaction<KitTables>,
  { id, key }: DeadLetterTarget,
): Promise<readonly Letter[]> {
  let query = db
    .selectFrom('millrace_dead_letters')
    .selectAll()
    .orderBy('id')
    .limit(listedLettersMax)
  if (id !== undefined) query = query.where('letter_id', '=', id)
  if (key !== undefined) query = query.where('held_key', '=', key)
  const letters = await query.execute()
  if (letters.length > 0 || (id === undefined && key === undefined)) return letters
  throw new MillraceError(
    'dead-letter-unknown',
    id === undefined
      ? `no dead letter holds back the key "${key}"`
      : `no dead letter has the id "${id}": it was redriven or discarded, or never was`,
  )
}

interface CarryOutOptions {
  readonly tools: DeliveryTools
  readonly parking: Parking
  readonly letters: readonly Letter[]
  readonly target: DeadLetterTarget
}

interface CarriedOut {
  readonly count: number
  readonly after: () => void
}

/** Makes the head of each key due; those behind follow it, one after the other (D2). */
async function redriveLetters(
  db: Transaction<KitTables>,
  { tools, parking, letters }: CarryOutOptions,
): Promise<CarriedOut> {
  const due: Letter[] = []
  const heads = new Set<number>()
  for (const letter of letters) {
    const { stream, held_key: key } = letter
    const head = key === null ? letter : await headOf(db, stream, key)
    if (head === null || heads.has(head.id)) continue
    heads.add(head.id)
    const change = { state: 'waiting', due_at_ms: tools.clock.nowMs(), attempts: 0 } as const
    const updated = await updateLetter(db, head.id, change)
    if (updated !== null) due.push(updated)
  }
  const announced = await parking.announce(db, due)
  return {
    count: letters.length,
    after: () => {
      announced()
      for (const letter of due) tools.observer.redriven?.(letter, tools.clock.nowMs())
    },
  }
}

/**
 * Removes letters for good. Their events count as handled, so that a record that comes again
 * stays away.
 */
async function discardLetters(
  db: Transaction<KitTables>,
  { tools, parking, letters }: CarryOutOptions,
): Promise<CarriedOut> {
  const afterwards: (() => void)[] = []
  for (const letter of letters) {
    const row = {
      event_id: letter.event_id,
      subscription: letter.subscription,
      handled_at_ms: tools.clock.nowMs(),
      topic_id: letter.topic_id,
      partition: letter.partition,
      record_offset: letter.record_offset,
    }
    await recordForgone(db, [row])
    afterwards.push(await parking.remove(db, letter))
  }
  return {
    count: letters.length,
    after: () => {
      for (const act of afterwards) act()
      for (const letter of letters) tools.observer.discarded?.(letter, tools.clock.nowMs())
    },
  }
}
