// DeleteTopics removes topics with their records, the offsets that groups committed for them, and
// what is known of their producers. A topic of the same name that is made later has another id.
//
// - v5 error messages.
// - v6 topics are named by name or by id.

import {
  DeleteTopics,
  type DeleteTopicsRequest,
  errors,
  type ResponseInput,
  zeroUuid,
} from '@millrace/wire'
import type { BrokerParts } from '../broker-parts.ts'
import { handler } from '../handler.ts'

type TopicResponse = ResponseInput<typeof DeleteTopics>['responses'][number]

interface Wanted {
  readonly name: string | null
  readonly topicId?: string
}

export const deleteTopics = handler(DeleteTopics, async (request, { broker }) => {
  const responses: TopicResponse[] = []
  for (const wanted of wantedOf(request)) responses.push(await deleteOne(broker, wanted))
  return { throttleTimeMs: 0, responses }
})

function wantedOf({ topics, topicNames }: DeleteTopicsRequest): readonly Wanted[] {
  return topicNames.length > 0 ? topicNames.map((name) => ({ name })) : topics
}

async function deleteOne(broker: BrokerParts, wanted: Wanted): Promise<TopicResponse> {
  const { name, topicId } = wanted
  if (name !== null && topicId !== undefined && topicId !== zeroUuid) {
    const message = 'a topic is named by its name or by its id, not by both'
    return { name, topicId, errorCode: errors.invalidRequest.code, errorMessage: message }
  }
  const topic = name === null ? broker.topics.byId(topicId ?? '') : broker.topics.byName(name)
  if (topic === undefined) {
    const error = name === null ? errors.unknownTopicId : errors.unknownTopicOrPartition
    const asked = name === null ? `no topic has the id ${topicId}` : `there is no topic "${name}"`
    return { name, ...idOf(wanted), errorCode: error.code, errorMessage: asked }
  }
  try {
    await broker.topics.delete(topic.name)
    return { name: topic.name, topicId: topic.topicId, errorCode: errors.none.code }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    broker.report(`topic "${topic.name}" could not be deleted: ${reason}`)
    return { name, errorCode: errors.kafkaStorageError.code, errorMessage: reason }
  }
}

function idOf({ topicId }: Wanted): { topicId?: string } {
  return topicId === undefined ? {} : { topicId }
}
