// OffsetCommit saves how far a group has read; acknowledged when it is durable.
//
// - v2–4 a retention time for the commit: not obeyed, the broker's own applies.
// - v6 leader epochs.
// - v7 static members.
// - Metadata comes back as it was given; more than 4,096 bytes of it are refused.

import { errors, OffsetCommit, type OffsetCommitRequest, type ResponseInput } from '@millrace/wire'
import type { BrokerParts } from '../broker-parts.ts'
import type { TopicCommits } from '../groups/offsets.ts'
import { handler } from '../handler.ts'
import { offsetMetadataBytesMax } from '../limits.ts'

type Response = ResponseInput<typeof OffsetCommit>
type TopicRequest = OffsetCommitRequest['topics'][number]
type PartitionRequest = TopicRequest['partitions'][number]

export const offsetCommit = handler(OffsetCommit, (request, { broker }) => {
  const { groupId, memberId, groupInstanceId } = request
  if (groupId === '') return responseOf(request, () => errors.invalidGroupId.code)
  const codeOf = (topic: TopicRequest, partition: PartitionRequest): number =>
    partitionError(topic.name, partition, broker)
  const claim = { memberId, groupInstanceId, generation: request.generationIdOrMemberEpoch }
  const errorCode = broker.groups.commit(groupId, claim, commitsOf(request, codeOf))
  const respond = (code: number): Response =>
    responseOf(request, code === errors.none.code ? codeOf : () => code)
  return typeof errorCode === 'number' ? respond(errorCode) : errorCode.then(respond)
})

type CodeOf = (topic: TopicRequest, partition: PartitionRequest) => number

function partitionError(
  topic: string,
  { partitionIndex, committedMetadata }: PartitionRequest,
  broker: BrokerParts,
): number {
  if (broker.topics.byName(topic)?.partitions[partitionIndex] === undefined) {
    return errors.unknownTopicOrPartition.code
  }
  const metadataBytes = committedMetadata === null ? 0 : Buffer.byteLength(committedMetadata)
  return metadataBytes > offsetMetadataBytesMax
    ? errors.offsetMetadataTooLarge.code
    : errors.none.code
}

/** What of the request may be saved. */
function commitsOf({ topics }: OffsetCommitRequest, codeOf: CodeOf): readonly TopicCommits[] {
  return topics
    .map((topic) => ({
      name: topic.name,
      partitions: topic.partitions
        .filter((partition) => codeOf(topic, partition) === errors.none.code)
        .map((partition) => ({
          partition: partition.partitionIndex,
          offset: partition.committedOffset,
          leaderEpoch: partition.committedLeaderEpoch,
          metadata: partition.committedMetadata,
        })),
    }))
    .filter(({ partitions }) => partitions.length > 0)
}

function responseOf({ topics }: OffsetCommitRequest, codeOf: CodeOf): Response {
  return {
    topics: topics.map((topic) => ({
      name: topic.name,
      partitions: topic.partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: codeOf(topic, partition),
      })),
    })),
  }
}
