import type { KafkaInspector } from '@millrace/kit'
import { brokersOption, type Command, jsonOption, UsageError } from '../command.ts'
import { findSystems } from '../host/find-systems.ts'
import { kafkaConfigOf, openInspector } from '../kafka/open-kafka.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { jsonLine } from '../output/json.ts'
import { table } from '../output/table.ts'
import { initTopics, initTotals, outcomeLine, topicsOf } from '../topics/init-topics.ts'

export const command: Command = {
  positionals: [
    { name: 'init', text: 'make the topics of a system, instead of listing', required: false },
    {
      name: 'system',
      text: 'its directory under systems/, or a path to a file that exports it (default: all)',
      required: false,
    },
  ],
  options: { brokers: brokersOption, json: jsonOption },
  notes: [
    'Records are counted by offsets: transactions and compaction make them fewer than that.',
    '"init" makes what is missing of the topics of a system, with the partitions that its ' +
      'catalogues say, and those by which its services are operated. It changes no topic that is ' +
      'there: one with other partitions is told, because its keys would lie on other partitions.',
  ],
  examples: [
    'millrace topics',
    'millrace topics --json | jq -r .topic',
    'KAFKA_BROKERS=localhost:9092 millrace topics init dreamscape',
  ],
  async run(input, terminal) {
    const [action, system] = input.positionals
    if (action !== undefined && action !== 'init') {
      throw new UsageError(
        `topics can be listed, or made: "${action}" is neither; did you mean "init"?`,
      )
    }
    if (action === 'init') {
      const systems = await findSystems(system, terminal.currentDirectory)
      const config = kafkaConfigOf(input, terminal)
      const outcomes = await waitFor(terminal, 'making topics', () =>
        initTopics(config, topicsOf(systems)),
      )
      for (const outcome of outcomes) {
        await terminal.print(input.flag('json') ? jsonLine(outcome) : outcomeLine(outcome))
      }
      terminal.note(initTotals(outcomes))
      return 0
    }
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
