// Metadata tells a client the broker, and the partitions of topics. A topic that is missing is made
// when both the request and the broker allow it.
//
// - v0 an empty list asks for all topics, from v1 `null` does.
// - v4 the client says whether a topic may be made; before, it may.
// - v8 what the client is allowed to do: everything.
// - v10 topic ids; v12 topics are found by them, before that a name must not be null.
// - The broker's address is that of the listener through which the client came.

import {
  errors,
  type KafkaError,
  Metadata,
  type MetadataRequest,
  type ResponseInput,
} from '@millrace/wire'
import { clusterOperations, operationsNotAsked, topicOperations } from '../authorized-operations.ts'
import { nodeId } from '../broker-parts.ts'
import { handler, type RequestContext } from '../handler.ts'
import { leaderEpoch } from '../leader-epoch.ts'
import { createTopic } from '../topics/create-topic.ts'
import { type Topic, topicNameProblem } from '../topics/topic.ts'

type Response = ResponseInput<typeof Metadata>
type TopicResponse = Response['topics'][number]

export const metadata = handler(Metadata, (request, context) => {
  const missing = missingNames(request, context)
  if (missing.length === 0) return respond(request, context, noRefusals)
  return createAll(missing, context).then((refusals) => respond(request, context, refusals))
})

/** Why topics were not made, by their names. */
type Refusals = ReadonlyMap<string, KafkaError>

const noRefusals: Refusals = new Map()

/** Topics that are to be made first. */
function missingNames(request: MetadataRequest, { broker }: RequestContext): readonly string[] {
  if (!request.allowAutoTopicCreation || !broker.settings.autoCreateTopics) return []
  const names = (request.topics ?? []).flatMap(({ name }) => (name === null ? [] : [name]))
  return names.filter((name) => broker.topics.byName(name) === undefined)
}

async function createAll(names: readonly string[], { broker }: RequestContext): Promise<Refusals> {
  const refusals = new Map<string, KafkaError>()
  await Promise.all(
    names.map(async (name) => {
      const outcome = await createTopic(broker, { name })
      if (outcome.kind === 'refused') refusals.set(name, outcome.error)
    }),
  )
  return refusals
}

function respond(request: MetadataRequest, context: RequestContext, refusals: Refusals): Response {
  const { broker, endpoint } = context
  return {
    brokers: [{ nodeId, host: endpoint.host, port: endpoint.port }],
    clusterId: broker.clusterId,
    controllerId: nodeId,
    topics: topicsOf(request, context, refusals),
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? clusterOperations
      : operationsNotAsked,
  }
}

function topicsOf(
  request: MetadataRequest,
  context: RequestContext,
  refusals: Refusals,
): TopicResponse[] {
  const { topics } = context.broker
  const authorized = request.includeTopicAuthorizedOperations ? topicOperations : operationsNotAsked
  const shown = (topic: Topic): TopicResponse => ({
    ...describe(topic),
    topicAuthorizedOperations: authorized,
  })
  const { topics: wanted } = request
  const wantsAll = wanted === null || (context.apiVersion === 0 && wanted.length === 0)
  if (wantsAll) return topics.all.map(shown)
  return wanted.map(({ name, topicId }) => {
    if (name === null && context.apiVersion < 12) {
      return { errorCode: errors.invalidRequest.code, name: '', partitions: [] }
    }
    const topic = name === null ? topics.byId(topicId) : topics.byName(name)
    if (topic !== undefined) return shown(topic)
    const error = refusals.get(name ?? '') ?? errorOfMissing(name)
    return { errorCode: error.code, name, topicId, partitions: [] }
  })
}

function describe({ name, topicId, partitions }: Topic): TopicResponse {
  return {
    errorCode: errors.none.code,
    name,
    topicId,
    partitions: partitions.map(({ partition }) => ({
      errorCode: errors.none.code,
      partitionIndex: partition,
      leaderId: nodeId,
      leaderEpoch,
      replicaNodes: [nodeId],
      isrNodes: [nodeId],
    })),
  }
}

function errorOfMissing(name: string | null): KafkaError {
  if (name === null) return errors.unknownTopicId
  return topicNameProblem(name) === undefined
    ? errors.unknownTopicOrPartition
    : errors.invalidTopicException
}
