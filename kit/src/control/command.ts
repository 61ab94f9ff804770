import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import type { DeadLetterTarget } from '../dead-letter/letter-query.ts'
import type { ReplayRequest } from '../replay/replay.ts'
import { commandsTopic } from './control-topics.ts'
import { readAnswer, readCommand } from './read-command.ts'

/** What a service can be asked to do from another process, and what each needs to know. */
export type Order =
  | {
      readonly action: 'redrive'
      /** An empty target means all. */
      readonly target: DeadLetterTarget
      /** Also those that failed alike each time that they were redriven. */
      readonly isForced?: boolean
    }
  /** `reason` is for the log, and for whoever reads the topic later. */
  | { readonly action: 'discard'; readonly target: DeadLetterTarget; readonly reason?: string }
  /** What a redrive would try; with `runs`, the handlers are run, and rolled back. */
  | { readonly action: 'try'; readonly target: DeadLetterTarget; readonly runs: boolean }
  /** One letter whole. `sealFor`: the key of whoever asks, for whom alone the answer is written. */
  | { readonly action: 'show'; readonly id: string; readonly sealFor: string }
  /** Gives one letter another payload. */
  | { readonly action: 'edit'; readonly id: string; readonly payload: unknown }
  /** A subscription, by the name of its event. */
  | { readonly action: 'pause' | 'resume'; readonly subscription: string }
  | { readonly action: 'replay'; readonly request: ReplayRequest }
  | { readonly action: 'rebuild'; readonly projection: string }
  /** Ends a job, by its id: that of the command that began it. */
  | { readonly action: 'cancel'; readonly job: string }

export type Action = Order['action']

/** An order, and for whom, until when, and by whom. */
export type Command = Order & CommandFrame

export interface CommandFrame {
  /** The service that is asked; all others pass it over. */
  readonly service: string
  /** After it the command is refused, so that none fires hours later. RFC 3339. */
  readonly deadline: string
  /** Who asked, for the log and for whoever reads the topic later. */
  readonly askedBy: string
}

export interface CommandAnswer {
  /** The event id of the command. */
  readonly commandId: string
  readonly service: string
  readonly outcome: CommandOutcome
}

/** What takes longer is answered several times: `begun`, `progress` …, and how it ended. */
export type CommandOutcome =
  | {
      readonly kind: 'done'
      /** Dead letters that are tried again, or were given up. */
      readonly letters?: number
      readonly isOutOfOrder?: boolean
      /** Those that were left because they failed alike each time. */
      readonly guarded?: number
      /** What else there is to tell, by action. */
      readonly report?: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'begun' | 'progress'; readonly done: number; readonly total: number }
  /** It ended before it was done. */
  | {
      readonly kind: 'stopped'
      readonly reason: string
      readonly done: number
      readonly total: number
    }

/** Commands and answers are events like any other, in the kit's own catalogue. */
export const controlCatalogue = defineCatalogue(
  'millrace',
  {
    'millrace.command.asked': event<Command>({
      version: '1.0',
      topic: commandsTopic,
      key: ({ payload }) => payload.service,
      payload: schema(readCommand),
    }),
    'millrace.command.answered': event<CommandAnswer>({
      version: '1.0',
      topic: commandsTopic,
      key: ({ payload }) => payload.service,
      payload: schema(readAnswer),
    }),
  },
  { partitions: 1 },
)

export const commandAsked = 'millrace.command.asked'
export const commandAnswered = 'millrace.command.answered'

/** What a value turned out to be: itself, typed, or what is wrong with it. */
export type Checked<Output> = { readonly value: Output } | { readonly issue: string }

function schema<Output>(
  check: (value: unknown) => Checked<Output>,
): StandardSchemaV1<unknown, Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'millrace',
      validate(value) {
        const checked = check(value)
        return 'issue' in checked ? { issues: [{ message: checked.issue }] } : checked
      },
    },
  }
}
