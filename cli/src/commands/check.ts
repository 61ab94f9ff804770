import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Catalogue, IncomingRecord, KafkaInspector } from '@millrace/kit'
import {
  type CatalogueProblem,
  checkRecords,
  compareCatalogues,
  readDescription,
} from '@millrace/kit/evolution'
import { findCatalogue } from '../catalogue/find-catalogue.ts'
import { type LettersCheck, lettersOf } from '../catalogue/letters-check.ts'
import { brokersOption, type Command, type Input, UsageError } from '../command.ts'
import { openDeadLetters } from '../dead-letters/open-dead-letters.ts'
import { CommandFailure } from '../failure.ts'
import { kafkaConfigOf, openInspector } from '../kafka/open-kafka.ts'
import { readSlice } from '../kafka/read-topic.ts'
import { waitFor } from '../kafka/wait-for.ts'
import { printableText } from '../output/printable.ts'
import type { Terminal } from '../output/terminal.ts'

export const command: Command = {
  positionals: [
    {
      name: 'system',
      text: 'its directory under systems/, or a path to a file that exports it',
      required: true,
    },
  ],
  options: {
    against: { kind: 'text', value: 'FILE', text: 'compare with a description that was kept' },
    forward: {
      kind: 'flag',
      text: 'fail where services of before could not read what is said, too',
    },
    records: { kind: 'flag', text: 'read what the topics and the dead letters hold' },
    last: {
      kind: 'integer',
      value: 'N',
      text: 'with --records: the last N of each partition (default: all)',
      min: 1,
    },
    catalogue: { kind: 'text', value: 'NAME', text: 'which, where the system has several' },
    brokers: brokersOption,
  },
  notes: [
    'It ends with 1 where something would break. "backward" is a record that could not be read, ' +
      '"order" a key whose events could be handled out of order, "forward" an event that a service ' +
      'with the former catalogue could not read: this is said, and fails with --forward.',
    'No handler runs, and no group is joined.',
  ],
  examples: [
    'millrace check todo --against catalogue.json',
    'millrace check todo --records --last 1000',
  ],
  async run(input, terminal) {
    const against = input.text('against')
    const withRecords = input.flag('records')
    if (against === undefined && !withRecords) {
      throw new UsageError('say what to check with: --against FILE, --records, or both')
    }
    const [wanted = ''] = input.positionals
    const { catalogue } = await findCatalogue(wanted, input.text('catalogue'), terminal)
    const isFit = [
      against === undefined ? true : await compare({ catalogue, against, input, terminal }),
      withRecords ? await readAll(catalogue, input, terminal) : true,
    ]
    return isFit.every((fits) => fits) ? 0 : 1
  },
}

interface Comparison {
  readonly catalogue: Catalogue
  readonly against: string
  readonly input: Input
  readonly terminal: Terminal
}

async function compare({ catalogue, against, input, terminal }: Comparison): Promise<boolean> {
  const former = readDescription(readText(resolve(terminal.currentDirectory, against)))
  const problems = await compareCatalogues(former, catalogue)
  for (const problem of problems) await terminal.print(lineOf(problem))
  const isFatal = ({ kind }: CatalogueProblem) => kind !== 'forward' || input.flag('forward')
  const fatal = problems.filter(isFatal)
  if (fatal.length === 0) terminal.note(`the catalogue fits ${against}`)
  else terminal.note(`${fatal.length} of ${problems.length} problems would break something`)
  return fatal.length === 0
}

function lineOf({ kind, event, what, example }: CatalogueProblem): string {
  const shown = example === undefined ? '' : `\n  for example ${JSON.stringify(example)}`
  return printableText(`${kind.padEnd(8)}  ${event}: ${what}`) + shown
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new CommandFailure(`${file} cannot be read: write it with "millrace catalogue"`)
  }
}

async function readAll(catalogue: Catalogue, input: Input, terminal: Terminal): Promise<boolean> {
  await using inspector = openInspector(input, terminal)
  const { clusterId } = await waitFor(terminal, 'asking Kafka', () => inspector.cluster())
  const there = await inspector.topicNames()
  const topics = catalogue.topics.map(({ topic }) => topic).filter((topic) => there.includes(topic))
  let unreadable = 0
  for (const summary of await inspector.topics(topics)) {
    const { topic, topicId } = summary
    const records = chosen(inspector, summary, input.integer('last'))
    const checked = await waitFor(terminal, `reading ${topic}`, () =>
      checkRecords(catalogue, records, { clusterId, topicId }),
    )
    unreadable += checked.unreadable
    for (const { partition, offset, reason } of checked.examples) {
      await terminal.print(printableText(`record    ${topic}/${partition} at ${offset}: ${reason}`))
    }
    terminal.note(`${topic}: ${checked.recordsRead} records read, ${checked.unreadable} unreadable`)
  }
  await tellLetters(await readLetters({ catalogue, inspector, input, terminal }), terminal)
  return unreadable === 0
}

type Summary = Awaited<ReturnType<KafkaInspector['topics']>>[number]

function chosen(
  inspector: KafkaInspector,
  summary: Summary,
  last: number | undefined,
): AsyncGenerator<IncomingRecord> {
  const ranges = summary.ranges.map(({ start, end, ...range }) => {
    const wanted = last === undefined ? start : end - BigInt(last)
    return { ...range, start: wanted < start ? start : wanted, end }
  })
  return readSlice(inspector, { ...summary, ranges })
}

interface LettersReading {
  readonly catalogue: Catalogue
  readonly inspector: KafkaInspector
  readonly input: Input
  readonly terminal: Terminal
}

async function readLetters(reading: LettersReading): Promise<LettersCheck> {
  const { catalogue, inspector, input, terminal } = reading
  await using desk = openDeadLetters(kafkaConfigOf(input, terminal))
  const letters = await waitFor(terminal, 'reading dead letters', async () => desk.list())
  return lettersOf(catalogue, inspector, letters)
}

async function tellLetters(letters: LettersCheck, terminal: Terminal): Promise<void> {
  for (const { letter, reason } of letters.unreadable) {
    await terminal.print(printableText(`letter    ${letter.id} of ${letter.service}: ${reason}`))
  }
  if (letters.mended.length > 0) {
    const ids = letters.mended.map(({ id }) => id)
    terminal.note(
      `${ids.length} rejected records can be read now; "millrace redrive" them: ${ids.join(' ')}`,
    )
  }
  if (letters.gone > 0) {
    terminal.note(
      `${letters.gone} dead letters are no longer on their topics, and were not looked at`,
    )
  }
}
