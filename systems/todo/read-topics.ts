// What lies on topics, read from outside, without a group.
import type { FetchPosition, IncomingRecord, KafkaInspector } from '@millrace/kit'

/** Every record of the topics, in each partition in the order of its offsets. */
export async function readTopics(
  kafka: KafkaInspector,
  topics: readonly string[],
): Promise<readonly IncomingRecord[]> {
  const names = new Set(await kafka.topicNames())
  const summaries = await kafka.topics(topics.filter((topic) => names.has(topic)))
  const records: IncomingRecord[] = []
  let open = summaries.flatMap(({ topicId, ranges }) =>
    ranges.map((range) => ({ ...range, topicId, offset: range.start })),
  )
  while (open.some(({ offset, end }) => offset < end)) {
    open = open.filter(({ offset, end }) => offset < end)
    const read = await fetchOnce(kafka, open)
    records.push(...read.records)
    open = open.map((place) => ({ ...place, offset: read.nextOffsets.get(place) ?? place.offset }))
  }
  return records
}

interface Read<Place> {
  readonly records: readonly IncomingRecord[]
  readonly nextOffsets: ReadonlyMap<Place, bigint>
}

async function fetchOnce<Place extends FetchPosition>(
  kafka: KafkaInspector,
  places: readonly Place[],
): Promise<Read<Place>> {
  const nextOffsets = new Map<Place, bigint>()
  const records: IncomingRecord[] = []
  for (const answer of await kafka.fetch(places)) {
    const place = places.find(
      ({ topic, partition }) => topic === answer.topic && partition === answer.partition,
    )
    if (answer.kind !== 'records' || !place) continue
    records.push(...answer.records)
    nextOffsets.set(place, answer.nextOffset)
  }
  return { records, nextOffsets }
}
