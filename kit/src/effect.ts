import type { Kysely } from 'kysely'
import type { Clock } from './clock.ts'
import { MillraceError } from './errors.ts'
import type { Effect } from './handler.ts'
import type { KitTables } from './store/kit-tables.ts'
import type { Scope, Store } from './store/store.ts'

/** What already happened outside the database, for which event and person. */
export interface EffectRow {
  group_name: string
  event_id: string
  name: string
  /** Empty for an effect that is not for one of several people. */
  person: string
  done_at_ms: number
}

export interface EffectTables {
  millrace_effects: EffectRow
}

export async function createEffects(db: Kysely<EffectTables>): Promise<void> {
  await db.schema
    .createTable('millrace_effects')
    .addColumn('group_name', 'text', (column) => column.notNull())
    .addColumn('event_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('person', 'text', (column) => column.notNull())
    .addColumn('done_at_ms', 'integer', (column) => column.notNull())
    .addPrimaryKeyConstraint('millrace_effects_key', ['group_name', 'event_id', 'name', 'person'])
    .execute()
}

export interface EffectOptions {
  readonly store: Store<KitTables>
  /** The handler's transaction, which must not be open. */
  readonly scope: Pick<Scope<KitTables>, 'isOpen'>
  readonly group: string
  readonly eventId: string
  readonly clock: Clock
}

type Act = (key: string) => Promise<unknown>

/** The `effect` of one delivery: see `Effect` for what it promises. */
export function openEffect({ store, scope, group, eventId, clock }: EffectOptions): Effect {
  return async (name: string, personOrAct: string | Act, maybeAct?: Act) => {
    const person = typeof personOrAct === 'string' ? personOrAct : ''
    const act = typeof personOrAct === 'string' ? maybeAct : personOrAct
    assertNotOpen(scope, name)
    const row = { group_name: group, event_id: eventId, name, person }
    if (await isDone(store.read, row)) return
    await act?.(idempotencyKey(eventId, name, person))
    assertNotOpen(scope, name)
    await store.transaction(`effect ${name}`, async (db) => {
      await db
        .insertInto('millrace_effects')
        .values({ ...row, done_at_ms: clock.nowMs() })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }
}

/** The same for every run of one effect, so that the other side can know a repetition. */
function idempotencyKey(eventId: string, name: string, person: string): string {
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
  { group_name, event_id, name, person }: Omit<EffectRow, 'done_at_ms'>,
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

function assertNotOpen({ isOpen }: Pick<Scope<KitTables>, 'isOpen'>, name: string): void {
  if (!isOpen) return
  throw new MillraceError(
    'effect-in-transaction',
    `effect "${name}" was called while the handler's transaction is open; a rollback could not ` +
      'undo it. Call it before the first use of db or publish (read with read, which opens none)',
  )
}
