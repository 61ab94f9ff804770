import type { AskOutcome, DeadLetterTarget, Order } from '@millrace/kit'
import { type ExitCode, type Input, UsageError } from '../command.ts'
import { askService, toldWhyNot } from '../control/ask-service.ts'
import { kafkaConfigOf } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import type { Terminal } from '../output/terminal.ts'
import { openDeadLetters } from './open-dead-letters.ts'
import { lettersMeant, readSelection, servicesOf } from './selection.ts'

type LettersAction = 'redrive' | 'discard' | 'try'

/** What `redrive` and `discard` share: select, ask each service, and say what became of it. */
export async function carryOut(
  action: LettersAction,
  input: Input,
  terminal: Terminal,
): Promise<ExitCode> {
  readSelection(input)
  const asks = action === 'discard' && !input.flag('yes')
  if (asks && !terminal.interactive) {
    throw new UsageError('there is no terminal to ask at: say --yes to give them up')
  }
  await using desk = openDeadLetters(kafkaConfigOf(input, terminal))
  const all = await waitFor(terminal, 'reading dead letters', async () => desk.list())
  const selection = readSelection(input, all)
  const letters = lettersMeant(all, selection)
  if (letters.length === 0) {
    terminal.note('there are no dead letters')
    return 0
  }
  if (asks && !(await terminal.confirm(`Give up ${counted(letters.length)} for good?`))) {
    terminal.note('nothing was given up')
    return 1
  }
  let code: ExitCode = 0
  for (const service of servicesOf(letters)) {
    const order = orderOf(action, selection.target, input)
    const question = { service, order, doing: doing[action] }
    const outcome = await askService(desk.commands, question, { input, terminal })
    if (outcome.kind !== 'done') code = 1
    if (!input.flag('json')) await report({ action, service, outcome }, terminal)
  }
  return code
}

const doing = { redrive: 'redriving', discard: 'discarding', try: 'trying' } as const
const done = { redrive: 'is tried again', discard: 'is given up' } as const
const doneMany = { redrive: 'are tried again', discard: 'are given up' } as const

function orderOf(action: LettersAction, target: DeadLetterTarget, input: Input): Order {
  switch (action) {
    case 'redrive':
      return { action, target, ...(input.flag('force') ? { isForced: true } : {}) }
    case 'discard': {
      const reason = input.text('because')
      return { action, target, ...(reason === undefined ? {} : { reason }) }
    }
    case 'try':
      return { action, target, runs: input.flag('run') }
    default:
      return action satisfies never
  }
}

interface Answer {
  readonly action: LettersAction
  readonly service: string
  readonly outcome: AskOutcome
}

async function report({ action, service, outcome }: Answer, terminal: Terminal): Promise<void> {
  if (toldWhyNot(service, outcome, terminal) || outcome.kind !== 'done') return
  if (action === 'try') {
    for (const line of dryRunLines(service, outcome.report ?? {})) await terminal.print(line)
    return
  }
  const { letters = 0, guarded = 0 } = outcome
  const verb = letters === 1 ? done[action] : doneMany[action]
  await terminal.print(`${counted(letters)} of ${service} ${verb}`)
  if (guarded > 0) {
    terminal.note(
      `(${counted(guarded)} failed alike each time, and stay: redrive by id, by --key, or --force)`,
    )
  }
  if (outcome.isOutOfOrder === true) {
    terminal.note('(rejected and skipped ones come out of the order in which they were said)')
  }
}

/** What would be tried; after a run, what would come of it. */
function dryRunLines(
  service: string,
  report: Readonly<Record<string, unknown>>,
): readonly string[] {
  const count = (name: string) => Number(report[name] ?? 0)
  const { groups, failures } = report
  if (Array.isArray(groups)) {
    const lines = groups.map((group: unknown) => {
      const { eventType, signature, letters } = Object(group)
      return `  ${letters} × ${eventType ?? 'no event'}: ${signature}`
    })
    const left = count('guarded')
    return [
      `${counted(count('letters'))} of ${service} would be tried again`,
      ...lines,
      ...(left > 0 ? [`  (of them ${left} failed alike each time, and need --force)`] : []),
    ]
  }
  return [
    `${service}: ${count('succeeding')} would succeed now, ${count('failing')} would fail` +
      (count('left') > 0
        ? `, ${count('left')} not run: its handler forbids that, or there is none`
        : ''),
    ...Object.entries(Object(failures)).map(([reason, times]) => `  ${String(times)} × ${reason}`),
  ]
}

function counted(letters: number): string {
  return `${letters} dead letter${letters === 1 ? '' : 's'}`
}
