import {
  type KafkaConfig,
  KafkaInspector,
  openKafka,
  type System,
  serviceTopics,
  type TopicRequest,
} from '@millrace/kit'

/** What became of one topic. */
export interface TopicOutcome {
  readonly topic: string
  readonly outcome: 'made' | 'there' | 'different'
  /** As it is now. */
  readonly partitions: number
  /** As its catalogue wants it. */
  readonly wanted: number
}

/** Every topic of the systems' services, once. */
export function topicsOf(systems: readonly System[]): readonly TopicRequest[] {
  const requests = systems
    .flatMap(({ services }) => services)
    .flatMap(({ service }) => serviceTopics(service))
  return [...new Map(requests.map((request) => [request.topic, request])).values()]
}

/**
 * Makes what is missing and changes nothing that is there, so that it may run at each deployment.
 * Throws what Kafka refuses.
 */
export async function initTopics(
  config: KafkaConfig,
  requests: readonly TopicRequest[],
): Promise<readonly TopicOutcome[]> {
  await using inspector = new KafkaInspector(config)
  await using kafka = openKafka(config)
  const before = new Set(await inspector.topicNames())
  const described = await kafka.ensureTopics(requests)
  const wanted = new Map(requests.map(({ topic, partitions }) => [topic, partitions]))
  return described.map(({ topic, partitions }) => {
    const want = wanted.get(topic) ?? partitions
    const there = partitions === want ? 'there' : 'different'
    return { topic, outcome: before.has(topic) ? there : 'made', partitions, wanted: want }
  })
}

export function outcomeLine({ topic, outcome, partitions, wanted }: TopicOutcome): string {
  switch (outcome) {
    case 'made':
      return `made       ${topic}, ${partitionsOf(partitions)}`
    case 'there':
      return `there      ${topic}, ${partitionsOf(partitions)}`
    case 'different':
      return `different  ${topic}, ${partitionsOf(partitions)}; its catalogue says ${wanted}`
    default:
      return outcome satisfies never
  }
}

export function initTotals(outcomes: readonly TopicOutcome[]): string {
  const count = (wanted: TopicOutcome['outcome']) =>
    outcomes.filter(({ outcome }) => outcome === wanted).length
  const different = count('different')
  const differences = different === 0 ? '' : `, ${different} of other partitions than wanted`
  return `${outcomes.length} topics: ${count('made')} made, ${count('there')} there${differences}`
}

function partitionsOf(count: number): string {
  return count === 1 ? '1 partition' : `${count} partitions`
}
