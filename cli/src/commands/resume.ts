import { brokersOption, type Command, jsonOption } from '../command.ts'
import { serviceCommand } from '../control/service-command.ts'

export const command: Command = {
  positionals: [
    { name: 'service', text: 'which service', required: true },
    { name: 'event', text: 'the event whose handler is meant', required: true },
  ],
  options: { brokers: brokersOption, json: jsonOption },
  notes: ['It goes on where it was; nothing was skipped.'],
  examples: ['millrace resume notification-service task.completed'],
  async run(input, terminal) {
    const [service = '', subscription = ''] = input.positionals
    return serviceCommand(
      {
        service,
        order: { action: 'resume', subscription },
        doing: 'asking',
        told: () => [`"${subscription}" of ${service} is resumed`],
      },
      input,
      terminal,
    )
  },
}
