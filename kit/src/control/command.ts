import type { StandardSchemaV1 } from '@standard-schema/spec'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import { event } from '../catalogue/event.ts'
import { isObject } from '../catalogue/json-value.ts'
import { isRfc3339 } from '../catalogue/read-record.ts'
import type { DeadLetterTarget } from '../dead-letter/dead-letters.ts'
import { commandsTopic } from './control-topics.ts'

/** What a service can be asked to do from another process. */
export interface Command {
  /** The service that is asked; all others pass it over. */
  readonly service: string
  readonly action: 'redrive' | 'discard'
  /** An empty target means all. */
  readonly target: DeadLetterTarget
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

export type CommandOutcome =
  | { readonly kind: 'done'; readonly letters: number; readonly isOutOfOrder: boolean }
  | { readonly kind: 'refused'; readonly reason: string }

/** Commands and answers are events like any other, in the kit's own catalogue. */
export const controlCatalogue = defineCatalogue(
  'millrace',
  {
    'millrace.command.asked': event<Command>({
      version: '1.0',
      topic: commandsTopic,
      key: ({ payload }) => payload.service,
      payload: schema(commandIssues),
    }),
    'millrace.command.answered': event<CommandAnswer>({
      version: '1.0',
      topic: commandsTopic,
      key: ({ payload }) => payload.service,
      payload: schema(answerIssues),
    }),
  },
  { partitions: 1 },
)

export const commandAsked = 'millrace.command.asked'
export const commandAnswered = 'millrace.command.answered'

/** Narrows a value to its type once it has no issues. */
type Check<Output> = (value: unknown) => { readonly value: Output } | { readonly issue: string }

function schema<Output>(check: Check<Output>): StandardSchemaV1<unknown, Output> {
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

function commandIssues(value: unknown): ReturnType<Check<Command>> {
  if (!isObject(value)) return { issue: 'a command is an object' }
  const { service, action, target, deadline, askedBy } = value
  if (typeof service !== 'string') return { issue: 'service: names the service that is asked' }
  if (action !== 'redrive' && action !== 'discard') {
    return { issue: 'action: is "redrive" or "discard"' }
  }
  if (!isTarget(target)) return { issue: 'target: has an id, a key, or nothing for all' }
  if (typeof deadline !== 'string' || !isRfc3339(deadline)) {
    return { issue: 'deadline: is an RFC 3339 time' }
  }
  if (typeof askedBy !== 'string') return { issue: 'askedBy: says who asks' }
  return { value: { service, action, target, deadline, askedBy } }
}

function isTarget(value: unknown): value is DeadLetterTarget {
  return (
    isObject(value) &&
    Object.entries(value).every(
      ([name, text]) => (name === 'id' || name === 'key') && typeof text === 'string',
    )
  )
}

function answerIssues(value: unknown): ReturnType<Check<CommandAnswer>> {
  if (!isObject(value)) return { issue: 'an answer is an object' }
  const { commandId, service, outcome } = value
  if (typeof commandId !== 'string' || typeof service !== 'string' || !isObject(outcome)) {
    return { issue: 'an answer has commandId, service and outcome' }
  }
  const { kind, letters, isOutOfOrder, reason } = outcome
  if (kind === 'refused' && typeof reason === 'string') {
    return { value: { commandId, service, outcome: { kind, reason } } }
  }
  if (kind === 'done' && typeof letters === 'number' && typeof isOutOfOrder === 'boolean') {
    return { value: { commandId, service, outcome: { kind, letters, isOutOfOrder } } }
  }
  return { issue: 'outcome: is done with letters and isOutOfOrder, or refused with a reason' }
}
