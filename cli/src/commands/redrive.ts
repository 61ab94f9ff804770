import { brokersOption, type Command, jsonOption } from '../command.ts'
import { carryOut } from '../dead-letters/carry-out.ts'
import { idPositional, selectionOptions } from '../dead-letters/selection.ts'

export const command: Command = {
  positionals: [idPositional],
  options: { ...selectionOptions, brokers: brokersOption, json: jsonOption },
  notes: [
    'The service tries them again at once and with all their attempts, each key in its order; what ' +
      'arrives meanwhile goes behind. What fails again is put aside again.',
    'The service must run: it is asked over the topic millrace.commands, and answers there.',
  ],
  examples: [
    'millrace redrive 01a1fdb7-9190-7e76-9b68-ded4caf374d1',
    'millrace redrive --key 7 --topic task.completed',
    'millrace redrive --all',
  ],
  run: async (input, terminal) => carryOut('redrive', input, terminal),
}
