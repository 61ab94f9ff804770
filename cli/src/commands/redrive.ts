import { brokersOption, type Command, jsonOption, UsageError } from '../command.ts'
import { carryOut } from '../dead-letters/carry-out.ts'
import { idPositional, selectionNote, selectionOptions } from '../dead-letters/selection.ts'

export const command: Command = {
  positionals: [idPositional],
  options: {
    ...selectionOptions,
    force: { kind: 'flag', text: 'also those that failed alike each time they were redriven' },
    'dry-run': { kind: 'flag', text: 'only say what would be tried' },
    run: {
      kind: 'flag',
      text: 'with --dry-run: run the handlers, undo it, and say what came of it',
    },
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    selectionNote,
    'The service tries them again at once and with all their attempts, each key in its order; what ' +
      'arrives meanwhile goes behind. What fails again is put aside again. One that was redriven ' +
      'three times, and failed alike each time, is redriven only by its id, by its key, or with ' +
      '--force.',
    'The service must run: it is asked over the topic millrace.commands, and answers there. Many ' +
      'are a job of the service, which goes on when you stop watching; "millrace jobs" lists it.',
  ],
  examples: [
    'millrace redrive 01a1fdb7-9190-7e76-9b68-ded4caf374d1',
    'millrace redrive --key 7 --topic task.completed',
    'millrace redrive --reason "mailbox is full" --since 2026-01-31T12:00:00Z --dry-run --run',
    'millrace redrive --all',
  ],
  async run(input, terminal) {
    if (input.flag('run') && !input.flag('dry-run')) {
      throw new UsageError('--run goes with --dry-run')
    }
    return carryOut(input.flag('dry-run') ? 'try' : 'redrive', input, terminal)
  },
}
