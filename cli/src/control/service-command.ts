import type { AskOutcome, Order } from '@millrace/kit'
import type { ExitCode, Input } from '../command.ts'
import { openDeadLetters } from '../dead-letters/open-dead-letters.ts'
import { kafkaConfigOf } from '../kafka/open-kafka.ts'
import type { Terminal } from '../output/terminal.ts'
import { askService, toldWhyNot } from './ask-service.ts'

export interface ServiceCommand {
  readonly service: string
  readonly order: Order
  readonly doing: string
  /** What to print once it is done. */
  readonly told: (outcome: Extract<AskOutcome, { kind: 'done' }>) => readonly string[]
}

/** Asks one service for one thing, and says what became of it. */
export async function serviceCommand(
  { told, ...question }: ServiceCommand,
  input: Input,
  terminal: Terminal,
): Promise<ExitCode> {
  await using desk = openDeadLetters(kafkaConfigOf(input, terminal))
  const outcome = await askService(desk.commands, question, { input, terminal })
  if (toldWhyNot(question.service, outcome, terminal) || outcome.kind !== 'done') return 1
  if (!input.flag('json')) for (const line of told(outcome)) await terminal.print(line)
  return 0
}
