import { brokersOption, type Command, jsonOption, yesOption } from '../command.ts'
import { carryOut } from '../dead-letters/carry-out.ts'
import { idPositional, selectionOptions } from '../dead-letters/selection.ts'

export const command: Command = {
  positionals: [idPositional],
  options: { ...selectionOptions, yes: yesOption, brokers: brokersOption, json: jsonOption },
  notes: [
    'They count as handled from then on, and what waits behind them goes on. There is no way back.',
    'The service must run: it is asked over the topic millrace.commands, and answers there.',
  ],
  examples: [
    'millrace discard 01a1fdb7-9190-7e76-9b68-ded4caf374d1',
    'millrace discard --key 7 --topic task.completed --yes',
  ],
  run: async (input, terminal) => carryOut('discard', input, terminal),
}
