import {
  type KafkaInspector,
  livenessOf,
  readServiceRecord,
  type ServiceRecord,
  servicesTopic,
  systemClock,
} from '@millrace/kit'
import { brokersOption, type Command, jsonOption } from '../command.ts'
import { openInspector } from '../kafka/open-kafka.ts'
import { readSlice } from '../kafka/read-topic.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { jsonLine } from '../output/json.ts'
import { printableText } from '../output/printable.ts'
import { table } from '../output/table.ts'

export const command: Command = {
  positionals: [],
  options: {
    all: { kind: 'flag', text: 'also those that have stopped' },
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    'Each instance of a service tells of itself on the topic millrace.services. "silent" is one ' +
      'that has not for three of its beats: it was killed, or cannot reach this Kafka.',
    '--json has the rest: what it publishes and hears, where it listens, its lag and its health.',
  ],
  examples: ['millrace services', 'millrace services --all --json | jq -r .service'],
  async run(input, terminal) {
    await using inspector = openInspector(input, terminal)
    const records = await waitFor(terminal, 'asking Kafka', () => readServices(inspector))
    const nowMs = systemClock.nowMs()
    const shown = records
      .map((record) => ({ ...record, state: livenessOf(record, nowMs) }))
      .filter(({ state }) => input.flag('all') || state !== 'stopped')
    if (input.flag('json')) {
      for (const record of shown) await terminal.print(jsonLine(record))
    } else if (shown.length === 0) {
      terminal.note('no service runs')
    } else {
      for (const line of table(columns, shown.map(rowOf))) await terminal.print(line)
    }
    return 0
  },
}

const columns = [
  { title: 'service' },
  { title: 'state' },
  { title: 'health' },
  { title: 'host' },
  { title: 'pid', align: 'right' },
  { title: 'partitions', align: 'right' },
  { title: 'lag', align: 'right' },
  { title: 'unsent', align: 'right' },
  { title: 'parked', align: 'right' },
  { title: 'since' },
  { title: 'reason' },
] as const

type Shown = Omit<ServiceRecord, 'state'> & { readonly state: string }

function rowOf(shown: Shown): readonly string[] {
  const { service, state, health, host, pid, partitions, unsent, since, reason } = shown
  const parked = Object.values(shown.deadLetters).reduce((sum, count) => sum + count, 0)
  return [
    printableText(service),
    state,
    state === 'up' ? health : '',
    printableText(host),
    String(pid),
    String(partitions),
    lagText(shown),
    String(unsent),
    String(parked),
    since.replace(/\.\d+Z$/, 'Z'),
    printableText(reason ?? ''),
  ]
}

/** A service that listens to nothing has no lag; of another it may be unknown. */
function lagText({ lag, subscribes }: Shown): string {
  if (subscribes.length === 0) return ''
  return lag === null ? '?' : String(lag)
}

/** The last record of each instance, by service and start. */
async function readServices(inspector: KafkaInspector): Promise<readonly ServiceRecord[]> {
  const names = await inspector.topicNames()
  const [summary] = names.includes(servicesTopic) ? await inspector.topics([servicesTopic]) : []
  if (summary === undefined) return []
  const records = new Map<string, ServiceRecord>()
  for await (const { key, value } of readSlice(inspector, summary)) {
    const name = key === null ? '' : Buffer.from(key).toString()
    const record = value === null ? null : readServiceRecord(value)
    if (record === null) records.delete(name)
    else records.set(name, record)
  }
  return [...records.values()].sort((a, b) =>
    a.service === b.service ? a.since.localeCompare(b.since) : a.service.localeCompare(b.service),
  )
}
