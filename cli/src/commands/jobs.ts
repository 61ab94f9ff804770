import type { AskedCommand, CommandOutcome } from '@millrace/kit'
import { brokersOption, type Command, jsonOption } from '../command.ts'
import { askService, toldWhyNot } from '../control/ask-service.ts'
import { openDeadLetters } from '../dead-letters/open-dead-letters.ts'
import { CommandFailure } from '../failure.ts'
import { kafkaConfigOf } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { jsonLine } from '../output/json.ts'
import { printableText } from '../output/printable.ts'
import { table } from '../output/table.ts'

export const command: Command = {
  positionals: [],
  options: {
    cancel: { kind: 'text', value: 'ID', text: 'end this job' },
    service: { kind: 'text', value: 'NAME', text: 'only what this service was asked for' },
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    'Lists what services were asked for in the last day, from the topic millrace.commands: how far ' +
      'a redrive, a replay or a rebuild is, and how each ended. What a job has done stays done ' +
      'when it is cancelled.',
  ],
  examples: ['millrace jobs', 'millrace jobs --cancel 01a1fdb7-9190-7e76-9b68-ded4caf374d1'],
  async run(input, terminal) {
    await using desk = openDeadLetters(kafkaConfigOf(input, terminal))
    const asked = await waitFor(terminal, 'reading commands', async () => desk.commands.asked())
    const job = input.text('cancel')
    if (job !== undefined) {
      const service = asked.find(({ id }) => id === job)?.command.service
      if (service === undefined) {
        throw new CommandFailure(`nothing was asked for under the id "${job}" in the last day`)
      }
      const question = { service, order: { action: 'cancel', job }, doing: 'cancelling' } as const
      const outcome = await askService(desk.commands, question, { input, terminal })
      if (toldWhyNot(service, outcome, terminal)) return 1
      if (!input.flag('json')) await terminal.print(`job ${job} of ${service} ends`)
      return 0
    }
    const service = input.text('service')
    const shown = asked.filter(({ command: { service: of } }) => (service ?? of) === of)
    if (input.flag('json')) {
      for (const one of shown) await terminal.print(jsonLine(one))
    } else if (shown.length === 0) {
      terminal.note('nothing was asked for in the last day')
    } else {
      for (const line of table(columns, shown.map(rowOf))) await terminal.print(line)
    }
    return 0
  },
}

const columns = [
  { title: 'id' },
  { title: 'service' },
  { title: 'asked for' },
  { title: 'by' },
  { title: 'at' },
  { title: 'outcome' },
] as const

function rowOf({ id, command: { service, action, askedBy }, askedAt, last }: AskedCommand) {
  return [
    id,
    printableText(service),
    action,
    printableText(askedBy),
    askedAt.replace(/\.\d+Z$/, 'Z'),
    printableText(outcomeText(last)),
  ]
}

function outcomeText(outcome: CommandOutcome | null): string {
  if (outcome === null) return 'unanswered'
  switch (outcome.kind) {
    case 'done':
      return outcome.letters === undefined ? 'done' : `done: ${outcome.letters} dead letters`
    case 'refused':
      return `refused: ${outcome.reason}`
    case 'begun':
    case 'progress':
      return `${outcome.done} of ${outcome.total}`
    case 'stopped':
      return `stopped at ${outcome.done} of ${outcome.total}: ${outcome.reason}`
    default:
      return outcome satisfies never
  }
}
