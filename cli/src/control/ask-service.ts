import type { AskOutcome, CommandClient, Order } from '@millrace/kit'
import type { Input } from '../command.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { answerMsMax } from '../limits.ts'
import { jsonLine } from '../output/json.ts'
import type { Terminal } from '../output/terminal.ts'

/** What is asked of which service, and how it is called while it is waited for. */
export interface Question {
  readonly service: string
  readonly order: Order
  /** Such as `redriving`. */
  readonly doing: string
}

/**
 * Asks a service and waits for how it ended, with a line that says how far it is. With --json each
 * answer is a line.
 */
export async function askService(
  commands: CommandClient,
  { service, order, doing }: Question,
  { input, terminal }: { readonly input: Input; readonly terminal: Terminal },
): Promise<AskOutcome> {
  const text = `${doing} (${service})`
  const isJson = input.flag('json')
  const outcome = await waitFor(terminal, text, async (advance) =>
    commands.ask(
      { ...order, service, waitMs: answerMsMax },
      {
        signal: terminal.interrupted,
        told: (answer, job) => {
          if (isJson) void terminal.print(jsonLine({ service, job, outcome: answer }))
          if ('total' in answer && answer.total > 0) {
            advance(`${doing}: ${answer.done} of ${answer.total} (${service})`)
          }
        },
      },
    ),
  )
  if (isJson) await terminal.print(jsonLine({ ...order, service, outcome }))
  return outcome
}

/** Says why something was not done. Returns false where it was. */
export function toldWhyNot(service: string, outcome: AskOutcome, terminal: Terminal): boolean {
  switch (outcome.kind) {
    case 'done':
      return false
    case 'begun':
    case 'progress':
      return true
    case 'refused':
      terminal.note(`millrace: ${service} refuses: ${outcome.reason}`)
      return true
    case 'stopped':
      terminal.note(
        `millrace: ${service} stopped at ${outcome.done} of ${outcome.total}: ${outcome.reason}`,
      )
      return true
    case 'unanswered':
      terminal.note(
        `millrace: ${service} did not answer within ${answerMsMax / 1000} s, and will not do it ` +
          'later: start it, against this Kafka, and try again',
      )
      return true
    case 'silent':
      terminal.note(
        `millrace: nothing was heard of ${service} for a while, at ${outcome.done} of ` +
          `${outcome.total}: it goes on when the service does; "millrace jobs" says how far it is`,
      )
      return true
    default:
      return outcome satisfies never
  }
}
