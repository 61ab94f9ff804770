import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf } from '@millrace/kit'
import { brokersOption, type Command, type Input, jsonOption, UsageError } from '../command.ts'
import { askService, toldWhyNot } from '../control/ask-service.ts'
import { openDeadLetters } from '../dead-letters/open-dead-letters.ts'
import { lettersMeant } from '../dead-letters/selection.ts'
import { CommandFailure } from '../failure.ts'
import { kafkaConfigOf } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import type { Terminal } from '../output/terminal.ts'

export const command: Command = {
  positionals: [
    { name: 'id', text: 'one dead letter, as "millrace dead-letters" lists it', required: true },
  ],
  options: {
    payload: { kind: 'text', value: 'JSON', text: 'what the event is to say' },
    file: { kind: 'text', value: 'FILE', text: 'the same, from a file' },
    redrive: { kind: 'flag', text: 'and try it again at once' },
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    'The payload is checked by the schema of its event; id, type, key and time stay as they are. The ' +
      'service keeps the bytes as they came, and who edited them when.',
    'The new payload stands on the topic millrace.commands for a day.',
  ],
  examples: [
    `millrace edit 01a1fdb7-9190-7e76-9b68-ded4caf374d1 --payload '{"email":"ann@example.com"}'`,
    'millrace edit 01a1fdb7-9190-7e76-9b68-ded4caf374d1 --file mended.json --redrive',
  ],
  async run(input, terminal) {
    const payload = payloadOf(input, terminal)
    const [id = ''] = input.positionals
    await using desk = openDeadLetters(kafkaConfigOf(input, terminal))
    const all = await waitFor(terminal, 'reading dead letters', async () => desk.list())
    const [letter] = lettersMeant(all, { target: { id }, service: undefined })
    const service = letter?.service ?? ''
    const ask = async (order: Parameters<typeof askService>[1]['order'], doing: string) =>
      askService(desk.commands, { service, order, doing }, { input, terminal })
    const edited = await ask({ action: 'edit', id, payload }, 'editing')
    if (toldWhyNot(service, edited, terminal)) return 1
    if (!input.flag('json')) await terminal.print(`${id} of ${service} is edited`)
    if (!input.flag('redrive')) return 0
    const redriven = await ask({ action: 'redrive', target: { id } }, 'redriving')
    if (toldWhyNot(service, redriven, terminal)) return 1
    if (!input.flag('json')) await terminal.print(`it is tried again`)
    return 0
  },
}

function payloadOf(input: Input, terminal: Terminal): unknown {
  const text = input.text('payload')
  const file = input.text('file')
  if ((text === undefined) === (file === undefined)) {
    throw new UsageError('say what the event is to say: --payload JSON, or --file FILE')
  }
  try {
    const json = text ?? readFileSync(resolve(terminal.currentDirectory, file ?? ''), 'utf8')
    const payload: unknown = JSON.parse(json)
    return payload
  } catch (error) {
    throw new CommandFailure(`the payload cannot be read: ${messageOf(error)}`)
  }
}
