import type { Transaction } from 'kysely'
import { MillraceError } from '../errors.ts'
import { lettersChunkMax, listedLettersMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { type DeadLetter, deadLetterOf } from './announcement.ts'
import { discardLetters, type LetterTools, redriveLetters } from './carry-out-letters.ts'
import {
  type DeadLetterTarget,
  fits,
  isNamed,
  type LetterRange,
  measure,
  narrowed,
} from './letter-query.ts'

export interface DeadLetterResult {
  /** How many letters will be tried again, or were given up for good. */
  readonly letters: number
  /** True where some come out of the order in which they were said: rejected and skipped ones. */
  readonly isOutOfOrder: boolean
  /** How many were left, because they failed alike each time that they were redriven. */
  readonly guarded?: number
}

export interface RedriveRequest {
  /**
   * Also letters that were redriven several times and failed alike each time. Such a letter is
   * otherwise redriven only by its id or its key.
   */
  readonly isForced?: boolean
}

/** What a service's operator may do with what was put aside. */
export interface DeadLetters {
  /** Oldest first, at most `listedLettersMax`. */
  list(): Promise<readonly DeadLetter[]>
  /**
   * Tries letters again, at once and with all their attempts, each key in its order; what
   * arrives meanwhile goes behind. Throws `dead-letter-unknown` for an id or key without any.
   */
  redrive(target: DeadLetterTarget, request?: RedriveRequest): Promise<DeadLetterResult>
  /** Gives letters up for good: they count as handled, and those behind them go on. */
  discard(target: DeadLetterTarget): Promise<DeadLetterResult>
}

/** What is to be done with which letters. */
export interface LetterOrder {
  readonly action: 'redrive' | 'discard'
  readonly target: DeadLetterTarget
  readonly isForced: boolean
  readonly job: string | null
}

export interface ChunkResult extends Required<DeadLetterResult> {
  /** The last letter that was looked at; null where none is left. */
  readonly position: number | null
  /** To be called after the commit. */
  readonly after: () => void
}

export interface DeadLetterOffice extends DeadLetters {
  /** Does one chunk of an order, inside a transaction. */
  carryOut(db: Transaction<KitTables>, order: LetterOrder, range: LetterRange): Promise<ChunkResult>
}

export interface OfficeOptions extends LetterTools {
  /** Looks for due letters. */
  readonly wake: () => void
}

export function openDeadLetterOffice({ tools, parking, wake }: OfficeOptions): DeadLetterOffice {
  const { store, clock, service, random } = tools
  const announcer = { service: service.name, group: service.group, clock, random }
  const parts = { tools, parking }

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
    redrive: (target, { isForced = false } = {}) =>
      carryOutAll({ action: 'redrive', target, isForced, job: null }),
    discard: (target) => carryOutAll({ action: 'discard', target, isForced: true, job: null }),
    async carryOut(db, order, range) {
      const { action, target } = order
      const query = db.selectFrom('millrace_dead_letters').selectAll().limit(lettersChunkMax)
      const found = await narrowed(query, target, range).execute()
      const letters = found.filter((letter) => fits(letter, target))
      const done =
        action === 'redrive'
          ? await redriveLetters(db, parts, letters, order)
          : await discardLetters(db, parts, letters)
      const isRedrive = action === 'redrive'
      return {
        letters: done.letters,
        guarded: done.guarded,
        isOutOfOrder: isRedrive && letters.some(({ held_key: key }) => key === null),
        position: found.length < lettersChunkMax ? null : (found.at(-1)?.id ?? null),
        after: () => {
          done.after()
          wake()
        },
      }
    },
  }

  /** A transaction a chunk, so that none holds the writer too long. */
  async function carryOutAll(order: LetterOrder): Promise<DeadLetterResult> {
    const { last, total } = await measure(store.read, order.target)
    if (total === 0) checkKnown(order.target)
    let letters = 0
    let guarded = 0
    let isOutOfOrder = false
    for (let after: number | null = 0; after !== null; ) {
      const range: LetterRange = { after, last }
      const chunk: ChunkResult = await store.transaction(`${order.action} dead letters`, (db) =>
        office.carryOut(db, order, range),
      )
      chunk.after()
      letters += chunk.letters
      guarded += chunk.guarded
      isOutOfOrder ||= chunk.isOutOfOrder
      after = chunk.position
    }
    return resultOf({ letters, guarded, isOutOfOrder })
  }

  return office
}

/** What was left is told where something was. */
export function resultOf({
  letters,
  guarded,
  isOutOfOrder,
}: Required<DeadLetterResult>): DeadLetterResult {
  return { letters, isOutOfOrder, ...(guarded > 0 ? { guarded } : {}) }
}

/** Throws `dead-letter-unknown`: nothing is meant where somebody named one. */
export function checkKnown(target: DeadLetterTarget): void {
  if (!isNamed(target)) return
  const { id, key } = target
  throw new MillraceError(
    'dead-letter-unknown',
    id === undefined
      ? `no dead letter holds back the key "${key}"`
      : `no dead letter has the id "${id}": it was redriven or discarded, or never was`,
  )
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
  'redrives',
  'alike',
  'redriven_signature',
  'edited_by',
  'edited_at_ms',
] as const
