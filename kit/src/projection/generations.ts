// The generations of a projection in the store: made, served through views, and dropped.

import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { inboxKeptMsMin, pruneRowsMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Dialect } from '../store/store.ts'
import type { ProjectionRow } from '../store/tables/projections.ts'
import { generationNames, tableOf } from './generation-names.ts'
import type { AnyProjection } from './projection.ts'

export type ProjectionState = Selectable<ProjectionRow>

/** Its state, as it is committed; null before its first start. */
export async function stateOf(
  db: Kysely<KitTables>,
  { name }: AnyProjection,
): Promise<ProjectionState | null> {
  const row = await db
    .selectFrom('millrace_projections')
    .selectAll()
    .where('name', '=', name)
    .executeTakeFirst()
  return row ?? null
}

/** Makes the first generation, with nothing in it, and shows it. */
export async function makeFirst(
  db: Transaction<KitTables>,
  projection: AnyProjection,
): Promise<ProjectionState> {
  const state = {
    name: projection.name,
    serving: 1,
    serving_version: projection.version,
    building: null,
    building_version: null,
  }
  await makeTables(db, projection, 1)
  await show(db, projection, 1)
  await db.insertInto('millrace_projections').values(state).execute()
  return state
}

/** Begins the next generation; one of another version that was being built is given up. */
export async function makeNext(
  db: Transaction<KitTables>,
  projection: AnyProjection,
  state: ProjectionState,
): Promise<ProjectionState> {
  if (state.building !== null) await dropGeneration(db, projection, state.building)
  const building = Math.max(state.serving, state.building ?? 0) + 1
  await makeTables(db, projection, building)
  const next = { ...state, building, building_version: projection.version }
  await update(db, next)
  return next
}

/**
 * Shows the generation that was built, and drops the one that was shown. Under the lock: nobody
 * may begin another one, or show this one, meanwhile.
 */
export async function swap(
  db: Transaction<KitTables>,
  projection: AnyProjection,
  state: ProjectionState,
): Promise<ProjectionState> {
  const { serving, building, building_version: version } = state
  if (building === null || version === null) return state
  await hide(db, projection)
  await dropGeneration(db, projection, serving)
  await show(db, projection, building)
  const next = { ...state, serving: building, serving_version: version }
  const swapped = { ...next, building: null, building_version: null }
  await update(db, swapped)
  return swapped
}

async function update(db: Kysely<KitTables>, { name, ...state }: ProjectionState): Promise<void> {
  await db.updateTable('millrace_projections').set(state).where('name', '=', name).execute()
}

async function makeTables(
  db: Transaction<KitTables>,
  projection: AnyProjection,
  generation: number,
): Promise<void> {
  await projection.create(db.withPlugin(generationNames(projection.tables, generation)))
}

/** Under which name the inbox knows what was applied to a generation. */
export function appliedAs(name: string, generation: number): string {
  return `projection ${name} ${generation}`
}

/** Forgets what was applied long ago: the position is past it. Returns how many rows it forgot. */
export async function forgetApplied(
  db: Kysely<KitTables>,
  state: Pick<ProjectionState, 'name' | 'serving'>,
  nowMs: number,
): Promise<number> {
  const old = await db
    .selectFrom('millrace_inbox')
    .select('event_id')
    .where('handled_at_ms', '<', nowMs - inboxKeptMsMin)
    .where('subscription', '=', appliedAs(state.name, state.serving))
    .limit(pruneRowsMax)
    .execute()
  if (old.length === 0) return 0
  await db
    .deleteFrom('millrace_inbox')
    .where('subscription', '=', appliedAs(state.name, state.serving))
    .where(
      'event_id',
      'in',
      old.map((row) => row.event_id),
    )
    .execute()
  return old.length
}

async function dropGeneration(
  db: Transaction<KitTables>,
  { name, tables }: AnyProjection,
  generation: number,
): Promise<void> {
  for (const table of tables) {
    await db.schema.dropTable(tableOf(table, generation)).ifExists().execute()
  }
  await db
    .deleteFrom('millrace_projection_positions')
    .where('name', '=', name)
    .where('generation', '=', generation)
    .execute()
  await db
    .deleteFrom('millrace_inbox')
    .where('subscription', '=', appliedAs(name, generation))
    .execute()
}

async function show(
  db: Transaction<KitTables>,
  { tables }: AnyProjection,
  generation: number,
): Promise<void> {
  for (const table of tables) {
    const shown = sql`select * from ${sql.table(tableOf(table, generation))}`
    await sql`create view ${sql.table(table)} as ${shown}`.execute(db)
  }
}

async function hide(db: Transaction<KitTables>, { tables }: AnyProjection): Promise<void> {
  for (const table of tables) await db.schema.dropView(table).ifExists().execute()
}

/**
 * Keeps all others from changing the projection until the transaction ends, also where it is not
 * there yet. On SQLite there is one writer.
 */
export async function lockProjection(
  db: Transaction<KitTables>,
  { name }: AnyProjection,
  dialect: Dialect,
): Promise<void> {
  if (dialect !== 'postgres') return
  await sql`
    select pg_advisory_xact_lock('millrace_projections'::regclass::oid::int, hashtext(${name}))
  `.execute(db)
}

/** By `topic id/partition`: the next offset that a generation reads. */
export async function positionsOf(
  db: Kysely<KitTables>,
  { name }: AnyProjection,
  generation: number,
): Promise<ReadonlyMap<string, bigint>> {
  const rows = await db
    .selectFrom('millrace_projection_positions')
    .select(['topic_id', 'partition', 'next_offset'])
    .where('name', '=', name)
    .where('generation', '=', generation)
    .execute()
  return new Map(rows.map((row) => [`${row.topic_id}/${row.partition}`, BigInt(row.next_offset)]))
}

/** The next offset that a generation reads of one partition. */
export async function positionOf(
  db: Kysely<KitTables>,
  { name }: AnyProjection,
  at: { readonly generation: number; readonly topicId: string; readonly partition: number },
): Promise<bigint> {
  const row = await db
    .selectFrom('millrace_projection_positions')
    .select('next_offset')
    .where('name', '=', name)
    .where('generation', '=', at.generation)
    .where('topic_id', '=', at.topicId)
    .where('partition', '=', at.partition)
    .executeTakeFirst()
  return BigInt(row?.next_offset ?? 0)
}

export interface Position {
  readonly topicId: string
  readonly partition: number
  readonly next: bigint
}

export async function keepPosition(
  db: Kysely<KitTables>,
  { name }: AnyProjection,
  { generation, topicId, partition, next }: Position & { readonly generation: number },
): Promise<void> {
  const row = {
    name,
    generation,
    topic_id: topicId,
    partition,
    next_offset: Number(next),
  }
  await db
    .insertInto('millrace_projection_positions')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['name', 'generation', 'topic_id', 'partition'])
        .doUpdateSet({ next_offset: row.next_offset }),
    )
    .execute()
}
