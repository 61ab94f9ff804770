// One job while this instance works on it.

import type { Transaction } from 'kysely'
import type { CommandOutcome } from '../control/command.ts'
import { answerRow } from '../control/control-record.ts'
import { MillraceError, messageOf } from '../errors.ts'
import { jobBeatMs, jobToldEveryMs } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { UnwrittenRow } from '../outbox/place.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { JobRow } from '../store/tables/jobs.ts'
import type { Job, JobEnd, JobStage, JobStep, JobWork } from './job.ts'
import { doneOutcome, lockJob, updateJob } from './job-rows.ts'

export class JobRun {
  readonly kind: Job['kind']
  /** Resolves when nothing of it runs any more. */
  readonly ended: Promise<void>
  readonly #tools: DeliveryTools
  readonly #work: JobWork
  readonly #stop = new AbortController()
  readonly #isOver = Promise.withResolvers<void>()
  #job: Job
  #isCancelled = false
  /** What `note` was told and the store does not know yet. */
  #noted: JobStep | null = null
  #writing: Promise<void> = Promise.resolve()
  #toldAtMs: number

  constructor(tools: DeliveryTools, job: Job, work: JobWork) {
    this.#tools = tools
    this.#job = job
    this.#work = work
    this.kind = job.kind
    // Its first step is told, and silence counts from here.
    this.#toldAtMs = tools.clock.nowMs() - jobToldEveryMs
    this.ended = this.#isOver.promise
  }

  start(): void {
    void this.#run().finally(() => this.#isOver.resolve())
  }

  /** It is to end here, and may go on elsewhere or later. */
  interrupt(): void {
    this.#stop.abort()
  }

  /** It is to end for good. */
  cancel(): void {
    this.#isCancelled = true
    this.#stop.abort()
  }

  /** Says that it goes on, if nothing was said for a while. */
  beat(): void {
    const isSilent = this.#tools.clock.nowMs() - this.#toldAtMs >= jobBeatMs
    if (isSilent && !this.#stop.signal.aborted) this.#note({})
  }

  async #run(): Promise<void> {
    const { log } = this.#tools
    const { id, kind, command } = this.#job
    log.info({ job: id, kind, askedBy: command.askedBy }, 'a job begins or goes on')
    let end: JobEnd
    try {
      const stage: JobStage = {
        signal: this.#stop.signal,
        step: (work) => this.#step(work),
        note: (step) => this.#note(step),
      }
      end = await this.#work(this.#job, stage)
    } catch (error) {
      const isOurs = error instanceof MillraceError && error.code.startsWith('store-')
      // A store in trouble, or in other hands, stops nothing for good: the next look goes on.
      end = isOurs ? { kind: 'interrupted' } : { kind: 'stopped', reason: messageOf(error) }
    }
    await this.#writing
    try {
      await this.#finish(end)
    } catch (error) {
      log.error({ job: id, reason: messageOf(error) }, 'the end of a job could not be written')
    }
  }

  async #finish(end: JobEnd): Promise<void> {
    if (this.#isCancelled && end.kind !== 'done') {
      await this.#end('cancelled', `it was cancelled`, {})
    } else if (end.kind === 'done') {
      await this.#end('done', null, end.step ?? {})
    } else if (end.kind === 'stopped' && !this.#stop.signal.aborted) {
      await this.#end('stopped', end.reason, end.step ?? {})
    }
  }

  async #end(state: JobRow['state'], reason: string | null, step: JobStep): Promise<void> {
    const { log, clock } = this.#tools
    const job = { ...this.#job, ...this.#noted, ...step }
    const { id, done, total, kind } = job
    const outcome: CommandOutcome =
      reason === null ? doneOutcome(job) : { kind: 'stopped', reason, done, total }
    await this.#transaction(async (db) => {
      const nowMs = clock.nowMs()
      const change = { step: stepOf(job), state, nowMs }
      await updateJob(db, id, reason === null ? change : { ...change, reason })
      return { rows: [this.#answer(outcome)] }
    })
    log.info({ job: id, kind, outcome }, 'a job ended')
  }

  /** B3 */
  async #step(work: Parameters<JobStage['step']>[0]): Promise<Job | null> {
    const { clock } = this.#tools
    let after: (() => void) | undefined
    const next = await this.#transaction(async (db, row) => {
      if (row.position !== this.#job.position) return { rows: [], result: null }
      const done = await work(db)
      after = done.after
      const job = { ...this.#job, ...done.step }
      await updateJob(db, job.id, { step: done.step, nowMs: clock.nowMs() })
      return { rows: this.#progress(job), result: job }
    })
    if (next === undefined || next === null) return null
    after?.()
    this.#job = next
    return next
  }

  #note(step: JobStep): void {
    this.#noted = { ...this.#noted, ...step }
    if (!this.#isTimeToTell()) return
    this.#toldAtMs = this.#tools.clock.nowMs()
    this.#writing = this.#writing
      .then(() => this.#writeNote())
      .catch((error: unknown) => {
        this.#tools.log.warn({ reason: messageOf(error) }, 'how far a job is could not be written')
      })
  }

  async #writeNote(): Promise<void> {
    const step = this.#noted ?? {}
    await this.#transaction(async (db) => {
      const job = { ...this.#job, ...step }
      await updateJob(db, job.id, { step, nowMs: this.#tools.clock.nowMs() })
      return { rows: [this.#answer({ kind: 'progress', done: job.done, total: job.total })] }
    })
    // Steps may have been taken meanwhile.
    this.#job = { ...this.#job, ...step }
  }

  #isTimeToTell(): boolean {
    return this.#tools.clock.nowMs() - this.#toldAtMs >= jobToldEveryMs
  }

  #progress({ done, total }: Job): readonly UnwrittenRow[] {
    if (!this.#isTimeToTell()) return []
    this.#toldAtMs = this.#tools.clock.nowMs()
    return [this.#answer({ kind: 'progress', done, total })]
  }

  #answer(outcome: CommandOutcome): UnwrittenRow {
    const { service, clock, random } = this.#tools
    const answer = { commandId: this.#job.id, service: service.name, outcome }
    return answerRow(answer, { source: service.name, clock, random })
  }

  /** Undefined where the job has ended meanwhile: then nothing is done. */
  async #transaction<Result>(
    work: (
      db: Transaction<KitTables>,
      row: JobRow,
    ) => Promise<{ readonly rows: readonly UnwrittenRow[]; readonly result?: Result }>,
  ): Promise<Result | undefined> {
    const { store, outbox } = this.#tools
    const written = await store.transaction(`job ${this.#job.id}`, async (db) => {
      const row = await lockJob(db, this.#job.id, store.dialect)
      if (row === null) return null
      const done = await work(db, row)
      await outbox.append(db, done.rows)
      return done
    })
    if (written === null) {
      this.#stop.abort()
      return undefined
    }
    outbox.committed(written.rows)
    return written.result
  }
}

function stepOf({ position, last, done, total, report }: Job): JobStep {
  return { position, last, done, total, report }
}
