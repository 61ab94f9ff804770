// The queries on jobs.

import type { Kysely, Selectable } from 'kysely'
import type { Command, CommandOutcome } from '../control/command.ts'
import { readCommand } from '../control/read-command.ts'
import { jobsKeptMs } from '../limits.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Dialect } from '../store/store.ts'
import type { JobRow } from '../store/tables/jobs.ts'
import type { Job, JobKind, JobReport, JobStatus, JobStep } from './job.ts'

type Db = Kysely<KitTables>
type Row = Selectable<JobRow>
const open = ['running', 'cancelling'] as const

export interface NewJob {
  readonly id: string
  readonly kind: JobKind
  readonly command: Command
  readonly last: number
  readonly total: number
  readonly nowMs: number
}

/** Also forgets those that ended long ago. */
export async function insertJob(db: Db, job: NewJob): Promise<void> {
  const { id, kind, command, last, total, nowMs } = job
  await db
    .deleteFrom('millrace_jobs')
    .where('state', 'not in', open)
    .where('changed_at_ms', '<', nowMs - jobsKeptMs)
    .execute()
  const row: JobRow = {
    id,
    kind,
    state: 'running',
    request: JSON.stringify(command),
    position: 0,
    last,
    report: '{}',
    done: 0,
    total,
    reason: null,
    asked_by: command.askedBy,
    begun_at_ms: nowMs,
    changed_at_ms: nowMs,
  }
  await db.insertInto('millrace_jobs').values(row).execute()
}

export async function openJobs(db: Db): Promise<readonly Row[]> {
  return db
    .selectFrom('millrace_jobs')
    .selectAll()
    .where('state', 'in', open)
    .orderBy('begun_at_ms')
    .execute()
}

/** The job, locked to the end of the transaction; null where it has ended. */
export async function lockJob(db: Db, id: string, dialect: Dialect): Promise<Row | null> {
  const query = db
    .selectFrom('millrace_jobs')
    .selectAll()
    .where('id', '=', id)
    .where('state', 'in', open)
  const row = await (dialect === 'postgres' ? query.forUpdate() : query).executeTakeFirst()
  return row ?? null
}

export async function findJob(db: Db, id: string): Promise<Row | null> {
  const query = db.selectFrom('millrace_jobs').selectAll().where('id', '=', id)
  return (await query.executeTakeFirst()) ?? null
}

export interface JobChange {
  readonly step: JobStep
  readonly state?: JobRow['state']
  readonly reason?: string
  readonly nowMs: number
}

export async function updateJob(db: Db, id: string, change: JobChange): Promise<void> {
  const { step, state, reason, nowMs } = change
  const { report, ...counts } = step
  await db
    .updateTable('millrace_jobs')
    .set({
      ...counts,
      ...(report === undefined ? {} : { report: JSON.stringify(report) }),
      ...(state === undefined ? {} : { state }),
      ...(reason === undefined ? {} : { reason }),
      changed_at_ms: nowMs,
    })
    .where('id', '=', id)
    .execute()
}

/** Null where its request cannot be read: a newer version of the kit wrote it. */
export function jobOf(row: Row): Job | null {
  const command = readCommand(JSON.parse(row.request))
  if ('issue' in command) return null
  const { id, kind, position, last, done, total, begun_at_ms: begunAtMs } = row
  const report: JobReport = JSON.parse(row.report)
  return { id, kind, command: command.value, position, last, done, total, report, begunAtMs }
}

export function statusOf(row: Row): JobStatus {
  const { id, kind, done, total, asked_by: askedBy, begun_at_ms } = row
  return { id, kind, done, total, askedBy, since: new Date(begun_at_ms).toISOString() }
}

/** As its answer says it. */
export function doneOutcome({ report }: Pick<Job, 'report'>): CommandOutcome {
  const { letters, isOutOfOrder, guarded, ...rest } = report
  return {
    kind: 'done',
    ...(typeof letters === 'number' ? { letters } : {}),
    ...(typeof isOutOfOrder === 'boolean' ? { isOutOfOrder } : {}),
    ...(typeof guarded === 'number' && guarded > 0 ? { guarded } : {}),
    ...(Object.keys(rest).length > 0 ? { report: rest } : {}),
  }
}
