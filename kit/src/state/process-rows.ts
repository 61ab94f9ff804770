import type { Kysely, Selectable } from 'kysely'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { processEndedKeptMs, pruneRowsMax } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import { type ExecutorSource, viewTables } from '../store/table-view.ts'
import type { ProcessRow } from '../store/tables/processes.ts'
import { writePlainJson } from './plain-json.ts'
import type { AnyProcessManager, ProcessManager, ProcessStatus } from './process-manager.ts'
import { newInstance, type ProcessInstance } from './process-step.ts'

type Db = Kysely<KitTables>

/** A process whose row is ours until the transaction ends. */
export interface LockedProcess {
  readonly instance: ProcessInstance
  /** True where the row was made just now. */
  readonly isNew: boolean
  readonly version: number
}

export interface LockOptions {
  readonly correlationId: string
  readonly nowMs: number
}

/**
 * Takes a process's row, which is made if it is missing. One statement does it on every store:
 * whoever writes the row waits for its holder, and then sees what the holder left.
 */
export async function lockProcess(
  db: Db,
  { manager, id }: { readonly manager: AnyProcessManager; readonly id: string },
  { correlationId, nowMs }: LockOptions,
): Promise<LockedProcess> {
  const beginning = newInstance(manager, id)
  const row = await db
    .insertInto('millrace_processes')
    .values({
      process: manager.name,
      process_id: id,
      version: 1,
      ...columnsOf(manager, beginning),
      correlation_id: correlationId,
      started_at_ms: nowMs,
      changed_at_ms: nowMs,
      ended_at_ms: null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['process', 'process_id'])
        .doUpdateSet((eb) => ({ version: eb('millrace_processes.version', '+', 1) })),
    )
    .returningAll()
    .executeTakeFirstOrThrow()
  const isNew = row.version === 1
  return { instance: isNew ? beginning : instanceOf(manager, row), isNew, version: row.version }
}

/**
 * Writes what a process has become. Throws where another delivery had the row meanwhile, which
 * only one in the same database transaction can: nothing of either then commits.
 */
export async function saveProcess(
  db: Db,
  { manager, instance, version }: SavedProcess,
  nowMs: number,
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('millrace_processes')
    .set({
      ...columnsOf(manager, instance),
      changed_at_ms: nowMs,
      ended_at_ms: instance.status === 'ended' ? nowMs : null,
    })
    .where('process', '=', manager.name)
    .where('process_id', '=', instance.id)
    .where('version', '=', version)
    .executeTakeFirstOrThrow()
  if (numUpdatedRows === 1n) return
  throw new Error(`process "${manager.name}" ${instance.id} was changed by another at once`)
}

export interface SavedProcess {
  readonly manager: AnyProcessManager
  readonly instance: ProcessInstance
  readonly version: number
}

/** Takes back the row of a process that did not begin. */
export async function forgetNew(db: Db, manager: AnyProcessManager, id: string): Promise<void> {
  await db
    .deleteFrom('millrace_processes')
    .where('process', '=', manager.name)
    .where('process_id', '=', id)
    .where('version', '=', 1)
    .execute()
}

/** Forgets processes that ended long ago. Returns how many; again while that is `pruneRowsMax`. */
export async function forgetEnded(db: Db, nowMs: number): Promise<number> {
  const old = await db
    .selectFrom('millrace_processes')
    .select(['process', 'process_id'])
    .where('ended_at_ms', '<', nowMs - processEndedKeptMs)
    .limit(pruneRowsMax)
    .execute()
  for (const { process, process_id } of old) {
    await db
      .deleteFrom('millrace_processes')
      .where('process', '=', process)
      .where('process_id', '=', process_id)
      .execute()
  }
  return old.length
}

/** Where a process stands, for whoever looks at it. */
export interface ProcessReport<State> {
  readonly id: string
  readonly status: ProcessStatus
  readonly state: State
  readonly steps: readonly { readonly step: string; readonly progress: string }[]
  /** The timers that are set. */
  readonly timers: readonly string[]
  /** Why it compensates or did; null where it does not. */
  readonly reason: string | null
  readonly correlationId: string
  readonly startedAtMs: number
  readonly changedAtMs: number
  readonly endedAtMs: number | null
}

/**
 * A process as it is, or null where there is none, or it ended more than a week ago. `read` is
 * that of a running service, or the `db` of a transaction. Throws `process-unreadable`.
 */
export async function readProcess<C extends Catalogue, State, Timer extends string>(
  read: ExecutorSource,
  manager: ProcessManager<C, State, Timer>,
  id: string | number,
): Promise<ProcessReport<State> | null> {
  const row = await viewTables<KitTables>(read)
    .selectFrom('millrace_processes')
    .selectAll()
    .where('process', '=', manager.name)
    .where('process_id', '=', String(id))
    .executeTakeFirst()
  if (row === undefined) return null
  const instance = instanceOf(manager, row)
  return {
    id: instance.id,
    status: instance.status,
    state: manager.readState(row.state, row.state_version),
    steps: instance.steps.map(({ step, progress }) => ({ step, progress })),
    timers: Object.keys(instance.timers),
    reason: instance.reason,
    correlationId: row.correlation_id,
    startedAtMs: row.started_at_ms,
    changedAtMs: row.changed_at_ms,
    endedAtMs: row.ended_at_ms,
  }
}

function columnsOf(manager: AnyProcessManager, instance: ProcessInstance) {
  const what = `of process "${manager.name}" ${instance.id}`
  return {
    status: instance.status,
    state: writePlainJson(`the state ${what}`, instance.state),
    state_version: manager.stateVersion,
    steps: writePlainJson(`a step ${what}`, instance.steps),
    timers: JSON.stringify(instance.timers),
    timers_set: instance.timersSet,
    reason: instance.reason,
    afterwards: writePlainJson(`what follows the compensation ${what}`, instance.afterwards),
  }
}

function instanceOf(manager: AnyProcessManager, row: Selectable<ProcessRow>): ProcessInstance {
  // These columns are the kit's own, as `columnsOf` wrote them.
  const steps: ProcessInstance['steps'] = JSON.parse(row.steps)
  const timers: ProcessInstance['timers'] = JSON.parse(row.timers)
  const afterwards: ProcessInstance['afterwards'] = JSON.parse(row.afterwards)
  return {
    id: row.process_id,
    status: row.status,
    state: manager.readState(row.state, row.state_version),
    steps,
    timers,
    timersSet: row.timers_set,
    reason: row.reason,
    afterwards,
  }
}
