import type { Transaction } from 'kysely'
import type { Command } from '../control/command.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { JobRow } from '../store/tables/jobs.ts'

export type JobKind = JobRow['kind']
export type JobReport = Readonly<Record<string, unknown>>

/** Work that somebody asked for, and that takes more than one transaction. */
export interface Job {
  /** The event id of the command that asked. */
  readonly id: string
  readonly kind: JobKind
  readonly command: Command
  /** How far it is, and where it ends: what that counts is the kind's. */
  readonly position: number
  readonly last: number
  readonly done: number
  readonly total: number
  readonly report: JobReport
  readonly begunAtMs: number
}

/** How a job stands, for health. */
export interface JobStatus {
  readonly id: string
  readonly kind: JobKind
  readonly done: number
  readonly total: number
  readonly askedBy: string
  readonly since: string
}

/** How far a job is by now. */
export type JobStep = Partial<Pick<Job, 'position' | 'last' | 'done' | 'total' | 'report'>>

export type JobEnd =
  | { readonly kind: 'done'; readonly step?: JobStep }
  /** It cannot go on. */
  | { readonly kind: 'stopped'; readonly reason: string; readonly step?: JobStep }
  /** It was told to stop: the service stops, its slot is another's, or somebody cancelled it. */
  | { readonly kind: 'interrupted' }

/** What a job's work may do with its job. */
export interface JobStage {
  /** Fires when the work is to end soon. */
  readonly signal: AbortSignal
  /**
   * Does a part of the work in one transaction with the note of how far it is, so that no part is
   * done twice. Returns the job as it is then, and null where it is another's by now.
   */
  readonly step: (
    work: (db: Transaction<KitTables>) => Promise<{
      readonly step: JobStep
      readonly after?: () => void
    }>,
  ) => Promise<Job | null>
  /** Notes how far it is, soon and not too often. For work that keeps its own position. */
  readonly note: (step: JobStep) => void
}

/** One kind of job. It goes on from where the job is: it may have been begun before a crash. */
export type JobWork = (job: Job, stage: JobStage) => Promise<JobEnd>
