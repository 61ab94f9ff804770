import type { DeadLetter } from '@millrace/kit'
import { brokersOption, type Command, jsonOption } from '../command.ts'
import { openDeadLetters } from '../dead-letters/open-dead-letters.ts'
import { kafkaConfigOf } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { jsonLine } from '../output/json.ts'
import { printableText } from '../output/printable.ts'
import { table } from '../output/table.ts'

export const command: Command = {
  positionals: [],
  options: {
    service: { kind: 'text', value: 'NAME', text: 'only those of this service' },
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    'States: "parked" was given up after its last attempt and holds back its key; "behind" waits ' +
      'behind one of the same key; "waiting" is tried again by itself at its time; "skipped" was ' +
      'given up and holds back nothing; "rejected" cannot be read as an event.',
    'The services keep the records themselves; this lists what they say of them on the topic ' +
      'millrace.dead-letters.',
  ],
  examples: ['millrace dead-letters', 'millrace dead-letters --json | jq -r .reason'],
  async run(input, terminal) {
    await using desk = openDeadLetters(kafkaConfigOf(input, terminal))
    const all = await waitFor(terminal, 'reading dead letters', async () => desk.list())
    const service = input.text('service')
    const letters = all.filter((letter) => service === undefined || letter.service === service)
    if (input.flag('json')) {
      for (const letter of letters) await terminal.print(jsonLine(letter))
    } else if (letters.length === 0) {
      terminal.note('there are no dead letters')
    } else {
      for (const line of table(columns, letters.map(rowOf))) await terminal.print(line)
    }
    return 0
  },
}

const columns = [
  { title: 'id' },
  { title: 'state' },
  { title: 'service' },
  { title: 'topic' },
  { title: 'key' },
  { title: 'attempts', align: 'right' },
  { title: 'since' },
  { title: 'reason' },
] as const

function rowOf(letter: DeadLetter): readonly string[] {
  const { id, state, service, topic, key, attempts, parkedAt, dueAt, reason } = letter
  return [
    id,
    dueAt === null ? state : `${state} until ${clockTime(dueAt)}`,
    service,
    topic,
    printableText(key ?? '–'),
    String(attempts),
    clockTime(parkedAt),
    printableText(reason),
  ]
}

/** To the second is enough for a table; --json has the rest. */
function clockTime(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z')
}
