import type { DeadLetter } from '@millrace/kit'
import { brokersOption, type Command, jsonOption } from '../command.ts'
import { groupingOf, groupLetters, printGroups } from '../dead-letters/group-letters.ts'
import { openDeadLetters } from '../dead-letters/open-dead-letters.ts'
import { show } from '../dead-letters/show.ts'
import { kafkaConfigOf } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { jsonLine } from '../output/json.ts'
import { printableText } from '../output/printable.ts'
import { table } from '../output/table.ts'

export const command: Command = {
  positionals: [
    { name: 'show', text: 'with an id: that one whole, with its payload', required: false },
    { name: 'id', text: 'which one', required: false },
  ],
  options: {
    service: { kind: 'text', value: 'NAME', text: 'only those of this service' },
    by: { kind: 'text', value: 'WHAT', text: 'count them by reason, event, service, state or key' },
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    'States: "parked" was given up after its last attempt and holds back its key; "behind" waits ' +
      'behind one of the same key; "waiting" is tried again by itself at its time; "skipped" was ' +
      'given up and holds back nothing; "rejected" cannot be read as an event.',
    'The services keep the records themselves; this lists what they say of them on the topic ' +
      'millrace.dead-letters.',
    'To show one whole, its service is asked for it, and must run; the answer is sealed, so that ' +
      'nobody else can read it.',
  ],
  examples: [
    'millrace dead-letters --by reason',
    'millrace dead-letters show 01a1fdb7-9190-7e76-9b68-ded4caf374d1',
    'millrace dead-letters --json | jq -r .reason',
  ],
  async run(input, terminal) {
    await using desk = openDeadLetters(kafkaConfigOf(input, terminal))
    const all = await waitFor(terminal, 'reading dead letters', async () => desk.list())
    const [word, id] = input.positionals
    if (word !== undefined) return await show({ word, id }, { all, desk, input, terminal })
    const service = input.text('service')
    const by = groupingOf(input.text('by'))
    const letters = all.filter((letter) => service === undefined || letter.service === service)
    if (by !== null) {
      await printGroups(groupLetters(letters, by), { input, terminal })
    } else if (input.flag('json')) {
      for (const letter of letters) await terminal.print(jsonLine(letter))
    } else if (letters.length === 0) {
      const of = service === undefined ? '' : ` of "${service}" on this Kafka`
      terminal.note(`there are no dead letters${of}`)
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
  const { id, state, service, topic, key, attempts, parkedAt, dueAt, redrives, editedBy } = letter
  const notes = [
    ...(redrives > 0 ? [`redriven ${redrives} ×`] : []),
    ...(editedBy === null ? [] : ['edited']),
  ]
  return [
    id,
    dueAt === null ? state : `${state} until ${clockTime(dueAt)}`,
    service,
    topic,
    printableText(key ?? '–'),
    String(attempts),
    clockTime(parkedAt),
    printableText([letter.reason, ...notes].join('; ')),
  ]
}

/** To the second is enough for a table; --json has the rest. */
function clockTime(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z')
}
