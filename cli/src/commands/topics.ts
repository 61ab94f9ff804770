import type { KafkaInspector } from '@millrace/kit'
import { brokersOption, type Command, jsonOption } from '../command.ts'
import { openInspector } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { jsonLine } from '../output/json.ts'
import { table } from '../output/table.ts'

export const command: Command = {
  positionals: [],
  options: { brokers: brokersOption, json: jsonOption },
  notes: ['Records are counted by offsets: transactions and compaction make them fewer than that.'],
  examples: ['millrace topics', 'millrace topics --json | jq -r .topic'],
  async run(input, terminal) {
    await using inspector = openInspector(input, terminal)
    const topics = await waitFor(terminal, 'asking Kafka', () => summaries(inspector))
    if (input.flag('json')) {
      for (const topic of topics) await terminal.print(jsonLine(topic))
    } else if (topics.length === 0) {
      terminal.note('there are no topics yet')
    } else {
      const rows = topics.map(({ topic, partitions, records }) => [
        topic,
        String(partitions),
        String(records),
      ])
      for (const line of table(columns, rows)) await terminal.print(line)
    }
    return 0
  },
}

const columns = [
  { title: 'topic' },
  { title: 'partitions', align: 'right' },
  { title: 'records', align: 'right' },
] as const

async function summaries(inspector: KafkaInspector) {
  const topics = await inspector.topics(await inspector.topicNames())
  return topics.map(({ topic, ranges }) => ({
    topic,
    partitions: ranges.length,
    records: ranges.reduce((sum, { start, end }) => sum + (end - start), 0n),
  }))
}
