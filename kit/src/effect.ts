import type { Kysely } from 'kysely'
import type { Clock } from './clock.ts'
import { MillraceError } from './errors.ts'
import type { Effect } from './handler.ts'
import type { KitTables } from './store/kit-tables.ts'
import type { Scope, Store } from './store/store.ts'
import type { EffectRow } from './store/tables/effects.ts'

export interface EffectsOptions {
  readonly store: Store<KitTables>
  readonly group: string
  readonly clock: Clock
}

/** One run of a handler, as its effects see it. */
export interface EffectRun {
  readonly eventId: string
  /** The handler's transaction, which must not be open. */
  readonly scope: Pick<Scope<KitTables>, 'isOpen'>
  /** Fires when the run is over, though the handler may go on. */
  readonly signal: AbortSignal
}

type Act = (key: string) => Promise<unknown>
type EffectId = Omit<EffectRow, 'done_at_ms'>

interface AtWork {
  /** True if `act` ran now, false if it had succeeded before. */
  readonly acted: Promise<boolean>
  readonly recorded: Promise<void>
}

/**
 * What a service does outside its database: see `Effect` for what it promises.
 *
 * E1. Of one effect at most one `act` is at work. It may outlive its run, whose time is over:
 *     then the next run waits for what comes of it.
 * E2. An `act` that succeeded is recorded, whatever its handler does meanwhile.
 */
export class Effects {
  readonly #options: EffectsOptions
  readonly #atWork = new Map<string, AtWork>()

  constructor(options: EffectsOptions) {
    this.#options = options
  }

  /** The `effect` of one run. */
  of({ eventId, scope, signal }: EffectRun): Effect {
    return async (name: string, personOrAct: string | Act, maybeAct?: Act) => {
      const person = typeof personOrAct === 'string' ? personOrAct : ''
      const act = typeof personOrAct === 'string' ? maybeAct : personOrAct
      assertNotOver(signal, name)
      assertNotOpen(scope, name)
      const id = { group_name: this.#options.group, event_id: eventId, name, person }
      const { acted, recorded } = this.#begin(id, act)
      await acted
      // Its record would wait for the transaction, and that for the handler.
      assertNotOpen(scope, name)
      await recorded
    }
  }

  #begin(id: EffectId, act: Act | undefined): AtWork {
    const place = JSON.stringify(id)
    const known = this.#atWork.get(place)
    if (known !== undefined) return known // E1
    const acted = this.#act(id, act)
    const recorded = acted
      .then((isNew) => (isNew ? this.#record(id) : undefined)) // E2
      .finally(() => this.#atWork.delete(place))
    // A handler that does not wait for it must not end the process.
    recorded.catch(() => {})
    const atWork = { acted, recorded }
    this.#atWork.set(place, atWork)
    return atWork
  }

  async #act(id: EffectId, act: Act | undefined): Promise<boolean> {
    if (await isDone(this.#options.store.read, id)) return false
    await act?.(idempotencyKey(id))
    return true
  }

  async #record(id: EffectId): Promise<void> {
    const { store, clock } = this.#options
    await store.transaction(`effect ${id.name}`, async (db) => {
      await db
        .insertInto('millrace_effects')
        .values({ ...id, done_at_ms: clock.nowMs() })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }
}

/** The same for every run of one effect, so that the other side can know a repetition. */
function idempotencyKey({ event_id: eventId, name, person }: EffectId): string {
  return person === '' ? `${eventId}:${name}` : `${eventId}:${name}:${person}`
}

/**
 * Forgets the effects of events, in the transaction that prunes their inbox rows: as long as an
 * event may come again, what it did must be known.
 */
export async function forgetEffects(
  db: Kysely<KitTables>,
  group: string,
  eventIds: readonly string[],
): Promise<void> {
  await db
    .deleteFrom('millrace_effects')
    .where('group_name', '=', group)
    .where('event_id', 'in', eventIds)
    .execute()
}

async function isDone(
  db: Kysely<KitTables>,
  { group_name, event_id, name, person }: EffectId,
): Promise<boolean> {
  const found = await db
    .selectFrom('millrace_effects')
    .select('done_at_ms')
    .where('group_name', '=', group_name)
    .where('event_id', '=', event_id)
    .where('name', '=', name)
    .where('person', '=', person)
    .executeTakeFirst()
  return found !== undefined
}

function assertNotOver(signal: AbortSignal, name: string): void {
  if (!signal.aborted) return
  throw new MillraceError(
    'transaction-closed',
    `effect "${name}" was called after its handler's time was over; another run does it`,
  )
}

function assertNotOpen({ isOpen }: Pick<Scope<KitTables>, 'isOpen'>, name: string): void {
  if (!isOpen) return
  throw new MillraceError(
    'effect-in-transaction',
    `effect "${name}" was called while the handler's transaction is open; a rollback could not ` +
      'undo it. Call it before the first use of db or publish (read with read, which opens none)',
  )
}
