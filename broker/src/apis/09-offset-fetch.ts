// OffsetFetch reads what a group committed. What was never committed is offset -1, and no error.
//
// - v2 null topics ask for everything.
// - v7 only stable offsets: all are, without transactions.
// - v8 several groups at once.

import { errors, OffsetFetch, type OffsetFetchRequest, type ResponseInput } from '@millrace/wire'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import type { Group } from '../groups/group-store.ts'
import type { TopicPartitions } from '../groups/offsets.ts'
import { handler } from '../handler.ts'

type Response = ResponseInput<typeof OffsetFetch>
type TopicResponse = NonNullable<Response['topics']>[number]
type WantedTopics = OffsetFetchRequest['groups'][number]['topics']

export const offsetFetch = handler(OffsetFetch, (request, { broker, apiVersion }) => {
  if (apiVersion < 8) return { topics: offsetsOf(request.groupId, request.topics, broker.groups) }
  return {
    groups: request.groups.map(({ groupId, topics }) => ({
      groupId,
      topics: offsetsOf(groupId, topics, broker.groups),
      errorCode: errors.none.code,
    })),
  }
})

function offsetsOf(
  groupId: string,
  wanted: WantedTopics,
  groups: GroupCoordinator,
): TopicResponse[] {
  const group = groups.find(groupId)
  const topics =
    wanted === null
      ? (group?.offsets.all ?? [])
      : wanted.map(({ name, partitionIndexes }) => ({ name, partitions: partitionIndexes }))
  return topics.map((topic) => describe(topic, group))
}

function describe({ name, partitions }: TopicPartitions, group: Group | undefined): TopicResponse {
  return {
    name,
    partitions: partitions.map((partition) => {
      const committed = group?.offsets.of(name, partition)
      return {
        partitionIndex: partition,
        committedOffset: committed?.offset ?? -1n,
        committedLeaderEpoch: committed?.leaderEpoch ?? -1,
        metadata: committed === undefined ? '' : committed.metadata,
        errorCode: errors.none.code,
      }
    }),
  }
}
