import { brokersOption, type Command, jsonOption } from '../command.ts'
import { serviceCommand } from '../control/service-command.ts'

export const command: Command = {
  positionals: [
    { name: 'service', text: 'which service', required: true },
    { name: 'event', text: 'the event whose handler is meant', required: true },
  ],
  options: { brokers: brokersOption, json: jsonOption },
  notes: [
    'Events wait in Kafka meanwhile, and what was put aside waits, too. The pause outlives a restart, holds on all instances, and health tells of it. Mind how long the topic keeps its records.',
  ],
  examples: ['millrace pause notification-service task.completed'],
  async run(input, terminal) {
    const [service = '', subscription = ''] = input.positionals
    return serviceCommand(
      {
        service,
        order: { action: 'pause', subscription },
        doing: 'asking',
        told: () => [`"${subscription}" of ${service} is paused`],
      },
      input,
      terminal,
    )
  },
}
