// The jobs of a service: begun by a command, worked on by one instance, answered as they go.
//
// B1. A job is a row, written in the transaction that answers `begun`; it is worked on until its
//     row says how it ended, by whichever instance owns its slot, also after a crash.
// B2. At most one of a kind is open: the store's own index says so.
// B3. What a job did, and how far it is, commit together, under the row's lock and only where the
//     row is as this instance left it.

import type { Transaction } from 'kysely'
import type { Timer } from '../clock.ts'
import type { CommandOutcome } from '../control/command.ts'
import { messageOf } from '../errors.ts'
import type { Instances } from '../instances/instances.ts'
import { slotOf } from '../instances/slot.ts'
import { ordersSweepMs } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import { keyHash } from '../outbox/partitioner.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { JobKind, JobStatus, JobWork } from './job.ts'
import {
  findJob,
  insertJob,
  jobOf,
  lockJob,
  type NewJob,
  openJobs,
  statusOf,
  updateJob,
} from './job-rows.ts'
import { JobRun } from './job-run.ts'

export type JobWorks = Readonly<Record<JobKind, JobWork>>

export interface JobsOptions {
  readonly tools: DeliveryTools
  readonly instances: Instances
  readonly works: JobWorks
}

/** An outcome to answer with, and what is to happen once it has committed. */
export interface Answered {
  readonly outcome: CommandOutcome
  readonly after: () => void
}

export class Jobs {
  readonly #options: JobsOptions
  readonly #active = new Map<string, JobRun>()
  readonly #leave: () => void
  #timer: Timer | null = null
  #looking: Promise<void> | null = null
  #isAsked = false
  #isStopped = false

  constructor(options: JobsOptions) {
    this.#options = options
    this.#leave = options.instances.join({
      gained: () => this.wake(),
      ended: (slots) => this.#end((run) => slots.includes(slotOfJob(run.kind))),
      called: ({ kind }) => {
        if (kind === 'orders') this.wake()
      },
    })
  }

  /** Begins a job in the transaction of its command (B1), unless one of its kind is open (B2). */
  async begin(db: Transaction<KitTables>, job: Omit<NewJob, 'nowMs'>): Promise<Answered> {
    const { tools } = this.#options
    const other = (await openJobs(db)).find(({ kind }) => kind === job.kind)
    if (other !== undefined) {
      const { id, asked_by: by, done, total } = other
      const reason =
        `a ${job.kind} that ${by} asked for is under way (job ${id}, ${done} of ${total}): wait ` +
        `for it, or cancel it`
      return { outcome: { kind: 'refused', reason }, after: () => {} }
    }
    await insertJob(db, { ...job, nowMs: tools.clock.nowMs() })
    const outcome = { kind: 'begun', done: 0, total: job.total } as const
    return { outcome, after: () => this.#announceOrder() }
  }

  /** Asks a job to end. It does so soon, and its own last answer says so. */
  async cancel(db: Transaction<KitTables>, id: string): Promise<Answered> {
    const { store, clock } = this.#options.tools
    const row = await lockJob(db, id, store.dialect)
    if (row !== null) {
      await updateJob(db, id, { step: {}, state: 'cancelling', nowMs: clock.nowMs() })
      const report = { job: id, kind: row.kind }
      return { outcome: { kind: 'done', report }, after: () => this.#announceOrder() }
    }
    const ended = await findJob(db, id)
    const known = (await openJobs(db)).map((one) => `${one.kind} ${one.id}`).join(', ')
    const reason =
      ended === null
        ? `there is no job "${id}" (under way: ${known || 'none'})`
        : `job ${id} has ended already: ${ended.state}`
    return { outcome: { kind: 'refused', reason }, after: () => {} }
  }

  /** Those that are under way, on any instance. */
  async status(): Promise<readonly JobStatus[]> {
    return (await openJobs(this.#options.tools.store.read)).map(statusOf)
  }

  /** Looks for work, soon. */
  wake(): void {
    this.#isAsked = true
    if (this.#isStopped) return
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
      if (this.#isAsked) this.wake()
    })
  }

  /** What runs is ended, and goes on at the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#leave()
    this.#timer?.cancel()
    await this.#looking
    await this.#end(() => true)
  }

  #announceOrder(): void {
    this.#options.instances.call({ kind: 'orders' })
    this.wake()
  }

  async #end(isMeant: (run: JobRun) => boolean): Promise<void> {
    const meant = [...this.#active.values()].filter(isMeant)
    for (const run of meant) run.interrupt()
    await Promise.all(meant.map(({ ended }) => ended))
  }

  async #look(): Promise<void> {
    this.#isAsked = false
    this.#timer?.cancel()
    const { tools, instances } = this.#options
    try {
      for (const row of await openJobs(tools.store.read)) {
        const run = this.#active.get(row.id)
        if (run === undefined && instances.owns(slotOfJob(row.kind))) this.#begin(row)
        if (row.state === 'cancelling') this.#active.get(row.id)?.cancel()
      }
    } catch (error) {
      tools.log.error({ reason: messageOf(error) }, 'jobs could not be read')
    }
    for (const run of this.#active.values()) run.beat()
    if (!this.#isStopped) this.#timer = tools.clock.after(ordersSweepMs, () => this.wake())
  }

  #begin(row: Awaited<ReturnType<typeof openJobs>>[number]): void {
    if (this.#isStopped) return
    const { tools, works } = this.#options
    const job = jobOf(row)
    if (job === null) return
    const run = new JobRun(tools, job, works[row.kind])
    this.#active.set(job.id, run)
    // Where the store was in trouble, the next sweep goes on: not sooner, so as not to spin.
    void run.ended.finally(() => this.#active.delete(job.id))
    run.start()
  }
}

/** All jobs of a kind are in one slot. */
function slotOfJob(kind: JobKind): number {
  return slotOf(keyHash(`job ${kind}`))
}
