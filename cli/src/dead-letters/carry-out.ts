import type { Ask, AskOutcome } from '@millrace/kit'
import { type ExitCode, type Input, UsageError } from '../command.ts'
import { kafkaConfigOf } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { answerMsMax } from '../limits.ts'
import { jsonLine } from '../output/json.ts'
import type { Terminal } from '../output/terminal.ts'
import { openDeadLetters } from './open-dead-letters.ts'
import { lettersMeant, type Order, ordersFor, readSelection } from './selection.ts'

/** What `redrive` and `discard` share: select, ask each service, and say what became of it. */
export async function carryOut(
  action: Ask['action'],
  input: Input,
  terminal: Terminal,
): Promise<ExitCode> {
  const selection = readSelection(input)
  const asks = action === 'discard' && !input.flag('yes')
  if (asks && !terminal.interactive) {
    throw new UsageError('there is no terminal to ask at: say --yes to give them up')
  }
  await using desk = openDeadLetters(kafkaConfigOf(input, terminal))
  const all = await waitFor(terminal, 'reading dead letters', async () => desk.list())
  const letters = lettersMeant(all, selection)
  if (letters.length === 0) {
    terminal.note('there are no dead letters')
    return 0
  }
  if (asks && !(await terminal.confirm(`Give up ${counted(letters.length)} for good?`))) {
    terminal.note('nothing was given up')
    return 1
  }
  const orders = ordersFor(action, selection, letters)
  let code: ExitCode = 0
  for (const [index, order] of orders.entries()) {
    const text = `${progress[action]} ${index + 1} of ${orders.length} (${order.service})`
    const outcome = await waitFor(terminal, text, async () =>
      desk.ask({ ...order, action, waitMs: answerMsMax }),
    )
    await report({ action, order, outcome }, input, terminal)
    if (outcome.kind !== 'done') code = 1
  }
  return code
}

const progress = { redrive: 'redriving', discard: 'discarding' } as const
const done = { redrive: 'is tried again', discard: 'is given up' } as const
const doneMany = { redrive: 'are tried again', discard: 'are given up' } as const

interface Answer {
  readonly action: Ask['action']
  readonly order: Order
  readonly outcome: AskOutcome
}

async function report(answer: Answer, input: Input, terminal: Terminal): Promise<void> {
  const { action, order, outcome } = answer
  const { service } = order
  if (input.flag('json')) {
    await terminal.print(jsonLine({ action, ...order, outcome }))
    return
  }
  switch (outcome.kind) {
    case 'done': {
      const verb = outcome.letters === 1 ? done[action] : doneMany[action]
      await terminal.print(`${counted(outcome.letters)} of ${service} ${verb}`)
      if (outcome.isOutOfOrder) {
        terminal.note('(rejected and skipped ones come out of the order in which they were said)')
      }
      return
    }
    case 'refused':
      terminal.note(`millrace: ${service} refuses: ${outcome.reason}`)
      return
    case 'unanswered':
      terminal.note(
        `millrace: ${service} did not answer within ${answerMsMax / 1000} s, and will not do it ` +
          'later: start it, against this Kafka, and try again',
      )
      return
    default:
      outcome satisfies never
  }
}

function counted(letters: number): string {
  return `${letters} dead letter${letters === 1 ? '' : 's'}`
}
