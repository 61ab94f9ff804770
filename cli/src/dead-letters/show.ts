import type { DeadLetter } from '@millrace/kit'
import { type ExitCode, type Input, UsageError } from '../command.ts'
import { toldWhyNot } from '../control/ask-service.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { answerMsMax } from '../limits.ts'
import { jsonLine } from '../output/json.ts'
import { printableText } from '../output/printable.ts'
import type { Terminal } from '../output/terminal.ts'
import type { ControlDesk } from './open-dead-letters.ts'
import { lettersMeant } from './selection.ts'

interface ShowOptions {
  readonly all: readonly DeadLetter[]
  readonly desk: ControlDesk
  readonly input: Input
  readonly terminal: Terminal
}

/** Prints one letter whole, as its service tells it. */
export async function show(
  { word, id }: { readonly word: string; readonly id: string | undefined },
  { all, desk, input, terminal }: ShowOptions,
): Promise<ExitCode> {
  if (word !== 'show' || id === undefined) {
    throw new UsageError(`"${word}" is unknown; say "dead-letters show <id>"`)
  }
  const [letter] = lettersMeant(all, { target: { id }, service: undefined })
  const service = letter?.service ?? ''
  const shown = await waitFor(terminal, `asking ${service}`, async () =>
    desk.commands.show(service, id, answerMsMax),
  )
  if (isOutcome(shown)) {
    toldWhyNot(service, shown, terminal)
    return 1
  }
  if (input.flag('json')) {
    await terminal.print(jsonLine(shown))
    return 0
  }
  for (const [name, value] of Object.entries(shown)) {
    if (value === null || name === 'payload' || name === 'headers') continue
    await terminal.print(`${name.padEnd(14)} ${printableText(textOf(value))}`)
  }
  for (const header of Array.isArray(shown['headers']) ? shown['headers'] : []) {
    const { name, value } = Object(header)
    await terminal.print(`header         ${printableText(`${name}: ${value}`)}`)
  }
  if (shown['payload'] !== null && shown['payload'] !== undefined) {
    await terminal.print(`payload        ${JSON.stringify(shown['payload'], null, 2)}`)
  }
  return 0
}

type Shown = Awaited<ReturnType<ControlDesk['commands']['show']>>
type Outcome = Parameters<typeof toldWhyNot>[1]

function isOutcome(shown: Shown): shown is Shown & Outcome {
  return 'kind' in shown
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
