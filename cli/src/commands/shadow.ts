import { resolve } from 'node:path'
import { type AnyServiceDefinition, openKafka } from '@millrace/kit'
import { runShadow, type ShadowComparison, type ShadowDifference } from '@millrace/kit/shadow'
import { brokersOption, type Command, jsonOption, UsageError } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import { findSystems } from '../host/find-systems.ts'
import { kafkaConfigOf } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { jsonLine } from '../output/json.ts'
import { printableText } from '../output/printable.ts'
import type { Terminal } from '../output/terminal.ts'
import { pointNote, pointOptions, readPoints } from '../replay/replay-points.ts'

export const command: Command = {
  positionals: [
    { name: 'system', text: 'the present one, as for "millrace run"', required: true },
    { name: 'service', text: 'which of its services', required: true },
  ],
  options: {
    with: { kind: 'text', value: 'FILE', text: 'the system as it is to be, with that service' },
    on: {
      kind: 'text',
      value: 'FILE',
      text: 'begin with a copy of this SQLite database (default: empty tables)',
    },
    ...pointOptions,
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    'Both services run over the same events, each in a database of its own that is gone ' +
      'afterwards. Effects do not happen, nothing is said, and no group is joined. It ends with 1 ' +
      'where they differ.',
    pointNote,
  ],
  examples: ['millrace shadow todo notification-service --with ../todo-changed/system.ts'],
  async run(input, terminal) {
    const [system = '', name = ''] = input.positionals
    const other = input.text('with')
    if (other === undefined) throw new UsageError('say what it is compared with: --with FILE')
    const points = readPoints(input)
    const on = input.text('on')
    await using transport = openKafka(kafkaConfigOf(input, terminal))
    const present = await findService(system, name, terminal)
    const changed = await findService(other, name, terminal)
    const comparison = await waitFor(terminal, 'comparing', (advance) =>
      runShadow({
        ...points,
        present,
        changed,
        transport,
        env: terminal.env,
        ...(on === undefined ? {} : { database: resolve(terminal.currentDirectory, on) }),
        told: (events) => advance(`${events} events`),
      }),
    )
    if (input.flag('json')) await terminal.print(jsonLine(comparison))
    else await tell(comparison, terminal)
    return comparison.differing === 0 ? 0 : 1
  },
}

async function findService(
  wanted: string,
  name: string,
  { currentDirectory }: Terminal,
): Promise<AnyServiceDefinition> {
  const [system] = await findSystems(wanted, currentDirectory)
  const found = system?.services.find(({ service }) => service.name === name)
  if (found !== undefined) return found.service
  const names = system?.services.map(({ service }) => service.name).join(', ') ?? 'none'
  throw new CommandFailure(`system "${wanted}" has no service "${name}": it has ${names}`)
}

async function tell(comparison: ShadowComparison, terminal: Terminal): Promise<void> {
  const { events, differing, failing, differences } = comparison
  for (const difference of differences) {
    for (const line of linesOf(difference)) await terminal.print(line)
  }
  terminal.note(`${events} events were heard; at ${differing} of them the services differ`)
  if (failing > 0) {
    terminal.note(`(at ${failing} both failed alike: --on gives them the rows that they look for)`)
  }
}

function linesOf({ event, kind, what, times, example }: ShadowDifference): readonly string[] {
  const { place, eventId, present, changed } = example
  return [
    printableText(`${times} × ${event}: ${kind} ${what}`),
    `    first at ${place} (${eventId})`,
    ...(present === null ? [] : [printableText(`    - ${present}`)]),
    ...(changed === null ? [] : [printableText(`    + ${changed}`)]),
  ]
}
