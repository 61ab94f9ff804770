// CreatePartitions raises the number of partitions of topics, each with its own outcome.

import { CreatePartitions, errors, type KafkaError, type ResponseInput } from '@millrace/wire'
import type { BrokerParts } from '../broker-parts.ts'
import { handler } from '../handler.ts'
import { partitionsPerTopicMax } from '../limits.ts'
import { isOnOnlyNode } from '../topics/create-topic.ts'

type Result = ResponseInput<typeof CreatePartitions>['results'][number]

interface Wanted {
  readonly name: string
  readonly count: number
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null
}

interface Problem {
  readonly error: KafkaError
  readonly message: string
}

export const createPartitions = handler(CreatePartitions, async (request, { broker }) => {
  const results: Result[] = []
  for (const wanted of request.topics) {
    const problem = problemOf(wanted, broker) ?? (await grow(wanted, broker, request.validateOnly))
    results.push({
      name: wanted.name,
      errorCode: problem?.error.code ?? errors.none.code,
      errorMessage: problem?.message ?? null,
    })
  }
  return { throttleTimeMs: 0, results }
})

function problemOf({ name, count, assignments }: Wanted, broker: BrokerParts): Problem | undefined {
  const topic = broker.topics.byName(name)
  if (topic === undefined) {
    return { error: errors.unknownTopicOrPartition, message: `there is no topic "${name}"` }
  }
  const has = topic.partitionCount
  if (count <= has) {
    const message = `topic "${name}" has ${has} partitions, so ${count} would not be more`
    return { error: errors.invalidPartitions, message }
  }
  if (count > partitionsPerTopicMax) {
    const message = `${count} partitions: a topic has 1–${partitionsPerTopicMax}`
    return { error: errors.invalidPartitions, message }
  }
  const isAssignable =
    assignments === null || (assignments.length === count - has && assignments.every(isOnOnlyNode))
  if (isAssignable) return undefined
  const message = `${count - has} partitions are new, each on the only broker`
  return { error: errors.invalidReplicaAssignment, message }
}

async function grow(
  { name, count }: Wanted,
  broker: BrokerParts,
  validateOnly: boolean,
): Promise<Problem | undefined> {
  if (validateOnly) return undefined
  try {
    await broker.topics.grow(name, count)
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    broker.report(`topic "${name}" could not get more partitions: ${message}`)
    return { error: errors.kafkaStorageError, message }
  }
}
