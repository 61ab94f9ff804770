import type { ReplayRequest } from '@millrace/kit'
import { brokersOption, type Command, jsonOption, UsageError } from '../command.ts'
import { serviceCommand } from '../control/service-command.ts'
import { pointNote, pointOptions, readPoints } from '../replay/replay-points.ts'

export const command: Command = {
  positionals: [{ name: 'service', text: 'which service', required: true }],
  options: {
    events: { kind: 'text', value: 'EVENT,…', text: 'which events (default: all it handles)' },
    ...pointOptions,
    into: {
      kind: 'text',
      value: 'WHAT',
      text: 'handler, or shadow: what it changes is rolled back (default: handler)',
    },
    name: {
      kind: 'text',
      value: 'NAME',
      text: 'a replay of that name goes on where it was, and handles no event twice',
    },
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    'Gives a service the past of its events once more. The live group goes on untouched; effects ' +
      'are suppressed unless a handler says that it is safe, and one that forbids a replay is ' +
      'refused.',
    pointNote,
    'It is a job of the service, which goes on when you stop watching; "millrace jobs" lists it.',
  ],
  examples: [
    'millrace replay analytics --events post.liked --from 2026-01-31T12:00:00Z',
    'millrace replay analytics --into shadow',
  ],
  async run(input, terminal) {
    const [service = ''] = input.positionals
    const into = input.text('into') ?? 'handler'
    if (into !== 'handler' && into !== 'shadow') {
      throw new UsageError(`--into is "${into}"; it can be handler or shadow`)
    }
    const events = input.text('events')?.split(',')
    const name = input.text('name')
    const request: ReplayRequest = {
      ...readPoints(input),
      into,
      ...(events === undefined ? {} : { events }),
      ...(name === undefined ? {} : { name }),
    }
    return serviceCommand(
      {
        service,
        order: { action: 'replay', request },
        doing: 'replaying',
        told: ({ report = {} }) => [
          `${service}: ${counted(report['handled'], 'event')} handled, ` +
            `${Number(report['repeated'] ?? 0)} handled under this name before, ` +
            `${counted(report['effectsSuppressed'], 'effect')} suppressed`,
        ],
      },
      input,
      terminal,
    )
  },
}

function counted(value: unknown, what: string): string {
  const count = Number(value ?? 0)
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
