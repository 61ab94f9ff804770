import type { IncomingRecord, KafkaInspector, PartitionRange, TopicSummary } from '@millrace/kit'
import { brokersOption, type Command, type Input, jsonOption, UsageError } from '../command.ts'
import { CommandFailure } from '../failure.ts'
import { openInspector } from '../kafka/open-kafka.ts'
import { followSlice, readSlice } from '../kafka/read-topic.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { tailRecords } from '../limits.ts'
import { nearest } from '../nearest.ts'
import { jsonLine } from '../output/json.ts'
import { printable, textOf } from '../output/printable.ts'
import type { Terminal } from '../output/terminal.ts'

export const command: Command = {
  positionals: [{ name: 'topic', text: 'which topic', required: true }],
  options: {
    last: { kind: 'integer', short: 'n', value: 'N', text: 'the last N records (default: 10)' },
    'from-beginning': { kind: 'flag', text: 'all records' },
    from: { kind: 'integer', value: 'OFFSET', text: 'from this offset on, in each partition' },
    count: { kind: 'integer', value: 'N', text: 'end after N records', min: 1 },
    follow: { kind: 'flag', short: 'f', text: 'go on with new records until Ctrl-C' },
    brokers: brokersOption,
    json: jsonOption,
  },
  notes: [
    'It prints what is there and ends, unless it is told to follow. Records come in the order of ' +
      'their timestamps, and in each partition in the order of its offsets. It joins no group and ' +
      'commits nothing.',
    'A value that is not UTF-8 is printed in base64, and control characters are escaped; --json ' +
      'adds partition, offset, timestamp, key and headers.',
  ],
  examples: [
    'millrace tail user.created',
    'millrace tail task.completed --follow',
    'millrace tail user.created --from-beginning --json | jq -r .key',
  ],
  async run(input, terminal) {
    checkOptions(input)
    await using inspector = openInspector(input, terminal)
    const topic = input.positionals[0] ?? ''
    const summary = await waitFor(terminal, 'asking Kafka', () => find(inspector, topic))
    const show = printer(input, terminal)
    const limit = input.integer('count') ?? Number.POSITIVE_INFINITY
    const printed = await printAll(chosen(inspector, summary, input), { limit, show })
    noteWhatIsBefore(summary, input, terminal)
    if (input.flag('follow') && printed < limit) {
      const following = followSlice(inspector, summary, terminal.interrupted)
      await printAll(following, { limit: limit - printed, show })
    }
    return 0
  },
}

function checkOptions(input: Input): void {
  const given = [
    ...(input.flag('from-beginning') ? ['--from-beginning'] : []),
    ...(input.integer('from') === undefined ? [] : ['--from']),
    ...(input.integer('last') === undefined ? [] : ['--last']),
  ]
  if (given.length > 1) {
    throw new UsageError(`${given.join(' and ')} contradict each other; give one of them`)
  }
}

async function find(inspector: KafkaInspector, topic: string): Promise<TopicSummary> {
  const names = await inspector.topicNames()
  if (!names.includes(topic)) {
    const guess = nearest(topic, names)
    const now = guess === undefined ? '"millrace topics" lists them' : `did you mean "${guess}"?`
    throw new CommandFailure(`there is no topic "${topic}"; ${now}`)
  }
  const [summary] = await inspector.topics([topic])
  if (summary === undefined) throw new CommandFailure(`topic "${topic}" was deleted just now`)
  return summary
}

/** What is there already and was asked for. */
async function* chosen(
  inspector: KafkaInspector,
  summary: TopicSummary,
  input: Input,
): AsyncGenerator<IncomingRecord> {
  const last = lastOf(input)
  const ranges = summary.ranges.map((range) => ({ ...range, start: startOf(range, input) }))
  const records = readSlice(inspector, { ...summary, ranges })
  if (last === undefined) {
    yield* records
    return
  }
  // Each partition gave its last N, which the last N of all are among.
  const kept: IncomingRecord[] = []
  for await (const record of records) {
    kept.push(record)
    if (kept.length > last) kept.shift()
  }
  yield* kept
}

/** Undefined where another option says where to begin. */
function lastOf(input: Input): number | undefined {
  if (input.flag('from-beginning') || input.integer('from') !== undefined) return undefined
  return input.integer('last') ?? tailRecords
}

function startOf({ start, end }: PartitionRange, input: Input): bigint {
  const last = lastOf(input)
  const wanted = last === undefined ? BigInt(input.integer('from') ?? 0) : end - BigInt(last)
  return wanted < start ? start : wanted > end ? end : wanted
}

type Show = (record: IncomingRecord) => Promise<void>

/** Returns how many it printed. */
async function printAll(
  records: AsyncGenerator<IncomingRecord>,
  { limit, show }: { limit: number; show: Show },
): Promise<number> {
  let printed = 0
  for await (const record of records) {
    await show(record)
    printed += 1
    if (printed >= limit) break
  }
  return printed
}

function printer(input: Input, terminal: Terminal): Show {
  const lineOf = input.flag('json') ? jsonOf : valueLine
  return async (record) => {
    terminal.interrupted.throwIfAborted()
    await terminal.print(lineOf(record))
  }
}

/** A record without a value deletes its key in a compacted topic. */
function valueLine({ value }: IncomingRecord): string {
  return value === null ? '(no value)' : printable(value)
}

function jsonOf(record: IncomingRecord): string {
  const { topic, partition, offset, timestampMs, key, headers, value } = record
  return jsonLine({
    topic,
    partition,
    offset,
    timestamp: new Date(timestampMs).toISOString(),
    ...bytesAs('key', key),
    headers: Object.fromEntries(
      headers.map((header) => [header.name, textOf(header.value) ?? base64(header.value)]),
    ),
    ...bytesAs('value', value),
  })
}

/** Text under the name itself; other bytes in base64 under a name that says so. */
function bytesAs(name: string, bytes: Uint8Array | null): Readonly<Record<string, string | null>> {
  if (bytes === null) return { [name]: null }
  const text = textOf(bytes)
  return text === undefined ? { [`${name}Base64`]: base64(bytes) } : { [name]: text }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** Whoever expected the whole topic sees that there is more. */
function noteWhatIsBefore({ ranges }: TopicSummary, input: Input, terminal: Terminal): void {
  const last = lastOf(input)
  if (input.integer('last') !== undefined || last === undefined || !terminal.interactive) return
  const all = ranges.reduce((sum, { start, end }) => sum + (end - start), 0n)
  if (all > BigInt(last)) {
    terminal.note(`(the last ${last} of ${all} records; --from-beginning prints all)`)
  }
}
