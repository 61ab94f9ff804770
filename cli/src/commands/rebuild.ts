import { brokersOption, type Command, jsonOption } from '../command.ts'
import { serviceCommand } from '../control/service-command.ts'

export const command: Command = {
  positionals: [
    { name: 'service', text: 'which service', required: true },
    { name: 'projection', text: 'which of its projections', required: true },
  ],
  options: { brokers: brokersOption, json: jsonOption },
  notes: [
    'Builds the projection anew from the start of its topics, beside the one that is read; once it ' +
      'has caught up, it is read instead, in one transaction.',
    'It is a job of the service, which goes on when you stop watching; "millrace jobs" lists it.',
  ],
  examples: ['millrace rebuild analytics likes-by-post'],
  async run(input, terminal) {
    const [service = '', projection = ''] = input.positionals
    return serviceCommand(
      {
        service,
        order: { action: 'rebuild', projection },
        doing: 'rebuilding',
        told: () => [`"${projection}" of ${service} is rebuilt, and read`],
      },
      input,
      terminal,
    )
  },
}
