// Carries out commands, each in the transaction of its answer. One that makes no sense is refused
// with a reason that says what does.

import type { Transaction } from 'kysely'
import { checkKnown, type DeadLetterOffice, resultOf } from '../dead-letter/dead-letters.ts'
import { editLetter } from '../dead-letter/edit-letter.ts'
import { measure } from '../dead-letter/letter-query.ts'
import type { Parking } from '../dead-letter/parking.ts'
import { showLetter } from '../dead-letter/show-letter.ts'
import { countLettersTried } from '../dead-letter/try-letters.ts'
import { MillraceError } from '../errors.ts'
import type { Subscription } from '../inbox/subscription.ts'
import type { JobKind } from '../job/job.ts'
import type { Answered, Jobs } from '../job/jobs.ts'
import type { Rebuilding } from '../job/rebuild-job.ts'
import { lettersChunkMax } from '../limits.ts'
import type { DeliveryTools } from '../outbox/handler-context.ts'
import type { KitTables } from '../store/kit-tables.ts'
import type { Command } from './command.ts'
import type { Pauses } from './pauses.ts'

export interface CommandDeskOptions {
  readonly tools: DeliveryTools
  readonly parking: Parking
  readonly subscriptions: readonly Subscription[]
  readonly office: DeadLetterOffice
  readonly pauses: Pauses
  readonly jobs: Jobs
  readonly projections: Rebuilding
}

/** A command of one action. */
type CommandTo<Action> = Extract<Command, { readonly action: Action }>

/** Where a command is carried out. */
interface Carrying {
  readonly db: Transaction<KitTables>
  /** Its event id: that of the job which it begins. */
  readonly id: string
}

/** What somebody asks for and cannot have. */
class Refusal extends Error {}

export class CommandDesk {
  readonly #options: CommandDeskOptions

  constructor(options: CommandDeskOptions) {
    this.#options = options
  }

  async carryOut(db: Transaction<KitTables>, command: Command, id: string): Promise<Answered> {
    const { deadline } = command
    if (Date.parse(deadline) < this.#options.tools.clock.nowMs()) {
      return refused(`it came after its deadline, ${deadline}`)
    }
    try {
      return await this.#carryOut(command, { db, id })
    } catch (error) {
      if (error instanceof Refusal) return refused(error.message)
      if (!(error instanceof MillraceError) || error.code !== 'dead-letter-unknown') throw error
      return refused(error.message)
    }
  }

  async #carryOut(command: Command, at: Carrying): Promise<Answered> {
    const { tools, jobs } = this.#options
    switch (command.action) {
      case 'redrive':
      case 'discard':
        return this.#letters(command, at)
      case 'try':
        return this.#try(command, at)
      case 'show':
        return done(await showLetter(at.db, tools, command))
      case 'edit':
        return this.#edit(command, at)
      case 'pause':
      case 'resume':
        return this.#pause(command, at)
      case 'replay':
        return this.#begin(at, 'replay', command)
      case 'rebuild':
        return this.#rebuild(command, at)
      case 'cancel':
        return jobs.cancel(at.db, command.job)
      default:
        return command satisfies never
    }
  }

  /** Few are done at once; many are a job. */
  async #letters(
    command: CommandTo<'redrive' | 'discard'>,
    { db, id }: Carrying,
  ): Promise<Answered> {
    const { action, target } = command
    const { total, last } = await measure(db, target)
    if (total === 0) checkKnown(target)
    if (total > lettersChunkMax) return this.#begin({ db, id }, action, command, { total, last })
    const isForced = command.action === 'discard' || command.isForced === true
    const order = { action, target, isForced, job: null }
    const outcome = { letters: 0, isOutOfOrder: false, guarded: 0 }
    const afterwards: (() => void)[] = []
    for (let after: number | null = 0; after !== null; ) {
      const range: { after: number; last: number } = { after, last }
      const chunk = await this.#options.office.carryOut(db, order, range)
      outcome.letters += chunk.letters
      outcome.guarded += chunk.guarded
      outcome.isOutOfOrder ||= chunk.isOutOfOrder
      afterwards.push(chunk.after)
      after = chunk.position
    }
    return {
      outcome: { kind: 'done', ...resultOf(outcome) },
      after: () => {
        for (const act of afterwards) act()
      },
    }
  }

  async #try(command: CommandTo<'try'>, { db, id }: Carrying): Promise<Answered> {
    const { target, runs } = command
    const { total, last } = await measure(db, target)
    if (total === 0) checkKnown(target)
    if (runs) return this.#begin({ db, id }, 'try', command, { total, last })
    return done(await countLettersTried(db, target, last))
  }

  async #edit(
    { id, payload, askedBy: by }: CommandTo<'edit'>,
    { db }: Carrying,
  ): Promise<Answered> {
    const { tools, parking } = this.#options
    const edited = await editLetter(db, tools, { id, payload, by })
    if (edited.kind === 'refused') throw new Refusal(edited.reason)
    const after = await parking.announce(db, [edited.letter])
    return { outcome: { kind: 'done', report: { id } }, after }
  }

  async #pause(
    { action, subscription, askedBy }: CommandTo<'pause' | 'resume'>,
    { db }: Carrying,
  ): Promise<Answered> {
    const { subscriptions, pauses, tools } = this.#options
    const paused = await db.selectFrom('millrace_pauses').select('subscription').execute()
    const isPaused = paused.some((row) => row.subscription === subscription)
    const names = subscriptions.map(({ name }) => `"${name}"`).join(', ') || 'nothing'
    // One that is paused can be resumed, though nothing handles it any more.
    if (!isPaused && !subscriptions.some(({ name }) => name === subscription)) {
      throw new Refusal(`${tools.service.name} handles no "${subscription}", but ${names}`)
    }
    if (action === 'pause' && isPaused) throw new Refusal(`"${subscription}" is paused already`)
    if (action === 'resume' && !isPaused) throw new Refusal(`"${subscription}" is not paused`)
    const after = await pauses.set(db, subscription, action === 'pause' ? askedBy : null)
    return { outcome: { kind: 'done', report: { subscription } }, after }
  }

  async #rebuild(command: CommandTo<'rebuild'>, at: Carrying): Promise<Answered> {
    const { projections, tools } = this.#options
    const { projection } = command
    const names = projections.status().map(({ name }) => `"${name}"`)
    if (!names.includes(`"${projection}"`)) {
      const known = names.join(', ') || 'none at all'
      throw new Refusal(`${tools.service.name} has no projection "${projection}", but ${known}`)
    }
    return this.#begin(at, 'rebuild', command)
  }

  #begin(
    { db, id }: Carrying,
    kind: JobKind,
    command: Command,
    { total, last } = { total: 0, last: 0 },
  ): Promise<Answered> {
    return this.#options.jobs.begin(db, { id, kind, command, total, last })
  }
}

function done(report: Readonly<Record<string, unknown>>): Answered {
  return { outcome: { kind: 'done', report }, after: () => {} }
}

function refused(reason: string): Answered {
  return { outcome: { kind: 'refused', reason }, after: () => {} }
}
