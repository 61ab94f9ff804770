import type { GroupSummary } from '@millrace/kit'
import { brokersOption, type Command, jsonOption } from '../command.ts'
import { openInspector } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { jsonLine } from '../output/json.ts'
import { table } from '../output/table.ts'

export const command: Command = {
  positionals: [],
  options: { brokers: brokersOption, json: jsonOption },
  notes: [
    'Lag is what the group has not committed yet. A group that holds a parked key still commits ' +
      'past it: what is parked is in "millrace dead-letters".',
  ],
  examples: ['millrace groups', 'millrace groups --json'],
  async run(input, terminal) {
    await using inspector = openInspector(input, terminal)
    const groups = await waitFor(terminal, 'asking Kafka', () => inspector.groups())
    if (input.flag('json')) {
      for (const group of groups) await terminal.print(jsonLine(withLag(group)))
    } else if (groups.length === 0) {
      terminal.note('there are no groups yet')
    } else {
      for (const line of table(columns, groups.flatMap(rowsOf))) await terminal.print(line)
    }
    return 0
  },
}

const columns = [
  { title: 'group' },
  { title: 'state' },
  { title: 'members', align: 'right' },
  { title: 'topic' },
  { title: 'partitions', align: 'right' },
  { title: 'lag', align: 'right' },
] as const

/** A row for each topic that the group has read; the group's own cells stand in the first. */
function rowsOf({ group, state, members, positions }: GroupSummary): readonly string[][] {
  const own = [group, state, members === null ? '?' : String(members.length)]
  const topics = [...Map.groupBy(positions, ({ topic }) => topic)]
  if (topics.length === 0) return [[...own, '', '', '']]
  return topics.map(([topic, inTopic], index) => [
    ...(index === 0 ? own : ['', '', '']),
    topic,
    String(inTopic.length),
    String(inTopic.reduce((sum, position) => sum + lagOf(position), 0n)),
  ])
}

function withLag(group: GroupSummary) {
  const positions = group.positions.map((position) => ({ ...position, lag: lagOf(position) }))
  return { ...group, positions }
}

function lagOf({ committed, end }: { readonly committed: bigint; readonly end: bigint }): bigint {
  return end > committed ? end - committed : 0n
}
