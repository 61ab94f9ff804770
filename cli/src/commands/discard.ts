import { brokersOption, type Command, jsonOption, yesOption } from '../command.ts'
import { carryOut } from '../dead-letters/carry-out.ts'
import { idPositional, selectionNote, selectionOptions } from '../dead-letters/selection.ts'

export const command: Command = {
  positionals: [idPositional],
  options: {
    ...selectionOptions,
    because: { kind: 'text', value: 'TEXT', text: 'why, for the log of the service' },
    yes: yesOption,
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    selectionNote,
    'They count as handled from then on, and those behind them go on. There is no way back.',
  ],
  examples: [
    'millrace discard 01a1fdb7-9190-7e76-9b68-ded4caf374d1',
    'millrace discard --event mail.wanted --because "the campaign is over" --yes',
  ],
  run: async (input, terminal) => carryOut('discard', input, terminal),
}
