import type {
  Catalogue,
  DeadLetter,
  FetchPosition,
  IncomingRecord,
  PartitionFetch,
} from '@millrace/kit'
import { checkRecords } from '@millrace/kit/evolution'
import type { TopicReader } from '../kafka/read-topic.ts'

/** What a catalogue makes of the records that services have put aside. */
export interface LettersCheck {
  /** It could not read them; those that were rejected before are not among them. */
  readonly unreadable: readonly { readonly letter: DeadLetter; readonly reason: string }[]
  /** They were rejected, and it can read them. */
  readonly mended: readonly DeadLetter[]
  /** Retention has taken them from their topics; the services still have their bytes. */
  readonly gone: number
}

/** What is needed of a Kafka to look at records again. */
export interface LettersReader extends TopicReader {
  topics(names: readonly string[]): Promise<readonly { topic: string; topicId: string }[]>
  topicNames(): Promise<readonly string[]>
}

/** Reads each letter's record from its topic once more. */
export async function lettersOf(
  catalogue: Catalogue,
  reader: LettersReader,
  letters: readonly DeadLetter[],
): Promise<LettersCheck> {
  const ours = letters.filter(({ topic }) => catalogue.topics.some((one) => one.topic === topic))
  const ids = await topicIds(reader, new Set(ours.map(({ topic }) => topic)))
  const unreadable: { letter: DeadLetter; reason: string }[] = []
  const mended: DeadLetter[] = []
  let gone = 0
  for (const letter of ours) {
    const topicId = ids.get(letter.topic)
    const record = topicId === undefined ? null : await recordOf(reader, letter, topicId)
    if (record === null) {
      gone += 1
      continue
    }
    const origin = { clusterId: '', topicId: topicId ?? '' }
    const { examples } = await checkRecords(catalogue, only(record), origin)
    const [example] = examples
    if (example === undefined) {
      if (letter.state === 'rejected') mended.push(letter)
    } else if (letter.state !== 'rejected') {
      unreadable.push({ letter, reason: example.reason })
    }
  }
  return { unreadable, mended, gone }
}

async function topicIds(
  reader: LettersReader,
  topics: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const there = await reader.topicNames()
  const found = await reader.topics([...topics].filter((topic) => there.includes(topic)))
  return new Map(found.map(({ topic, topicId }) => [topic, topicId]))
}

async function recordOf(
  reader: LettersReader,
  { topic, partition, offset }: DeadLetter,
  topicId: string,
): Promise<IncomingRecord | null> {
  const position: FetchPosition = { topic, topicId, partition, offset: BigInt(offset) }
  const [answer] = await reader.fetch([position])
  return answer === undefined ? null : firstAt(answer, position.offset)
}

function firstAt(answer: PartitionFetch, offset: bigint): IncomingRecord | null {
  if (answer.kind !== 'records') return null
  return answer.records.find((record) => record.offset === offset) ?? null
}

async function* only(record: IncomingRecord): AsyncGenerator<IncomingRecord> {
  yield record
}
