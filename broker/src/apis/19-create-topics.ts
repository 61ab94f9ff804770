// CreateTopics makes topics, each with its own outcome.
//
// - v4 -1 partitions or replicas mean the broker's default.
// - v5 the answer tells partitions, replicas and every config.
// - v7 topic ids.
// - Replicas: 1 or -1. Assignments name the only broker.

import { CreateTopics, errors, type ResponseInput } from '@millrace/wire'
import type { BrokerParts } from '../broker-parts.ts'
import { handler } from '../handler.ts'
import type { ConfigValues } from '../topics/config.ts'
import { createTopic, planTopic, type Refusal, type TopicWanted } from '../topics/create-topic.ts'

type TopicResponse = ResponseInput<typeof CreateTopics>['topics'][number]

export const createTopics = handler(CreateTopics, async (request, { broker }) => {
  const topics: TopicResponse[] = []
  for (const wanted of request.topics) {
    const isTwice = request.topics.filter(({ name }) => name === wanted.name).length > 1
    if (isTwice) topics.push(refused(wanted.name, twice(wanted.name)))
    else if (request.validateOnly) topics.push(validate(broker, wanted))
    else topics.push(await create(broker, wanted))
  }
  return { throttleTimeMs: 0, topics }
})

async function create(broker: BrokerParts, wanted: TopicWanted): Promise<TopicResponse> {
  const outcome = await createTopic(broker, wanted)
  if (outcome.kind === 'refused') return refused(wanted.name, outcome)
  const { topicId } = outcome.topic
  return { ...described(broker, outcome.topic), topicId }
}

function validate(broker: BrokerParts, wanted: TopicWanted): TopicResponse {
  const plan = planTopic(broker, wanted)
  return plan.kind === 'refused' ? refused(wanted.name, plan) : described(broker, plan)
}

interface Described {
  readonly name: string
  readonly partitionCount: number
  readonly configs: ConfigValues
}

function described({ topics }: BrokerParts, topic: Described): TopicResponse {
  return {
    name: topic.name,
    errorCode: errors.none.code,
    errorMessage: null,
    numPartitions: topic.partitionCount,
    replicationFactor: 1,
    configs: topics.configs.resolveAll(topic.configs).map(({ name, value, source }) => ({
      name,
      value,
      readOnly: false,
      configSource: source,
      isSensitive: false,
    })),
  }
}

function refused(name: string, { error, message }: Refusal): TopicResponse {
  return { name, errorCode: error.code, errorMessage: message, configs: [] }
}

function twice(name: string): Refusal {
  const message = `the request names topic "${name}" more than once`
  return { kind: 'refused', error: errors.invalidRequest, message }
}
