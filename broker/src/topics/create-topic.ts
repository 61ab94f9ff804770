// Making a topic that somebody asked for: what is allowed, and what the broker adds.

import { errors, type KafkaError } from '@millrace/wire'
import { type BrokerParts, nodeId } from '../broker-parts.ts'
import { partitionsPerTopicMax, topicsMax } from '../limits.ts'
import { type ConfigValues, configProblem } from './config.ts'
import { collidingName, type Topic, topicNameProblem } from './topic.ts'

export interface TopicWanted {
  readonly name: string
  /** -1 or nothing: as many as `num.partitions` says. */
  readonly numPartitions?: number
  /** -1, nothing or 1: there is one node. */
  readonly replicationFactor?: number
  /** Nodes of each partition, in the place of both numbers. */
  readonly assignments?: readonly Assignment[]
  readonly configs?: readonly { readonly name: string; readonly value: string | null }[]
}

export interface Assignment {
  readonly partitionIndex: number
  readonly brokerIds: readonly number[]
}

export type TopicOutcome<Allowed> = Allowed | Refusal

export interface Refusal {
  readonly kind: 'refused'
  readonly error: KafkaError
  readonly message: string
}

/** A topic that may be made. */
export interface TopicPlan {
  readonly kind: 'planned'
  readonly name: string
  readonly partitionCount: number
  readonly configs: ConfigValues
}

/** Looks whether a topic may be made, and makes nothing. */
export function planTopic(broker: BrokerParts, wanted: TopicWanted): TopicOutcome<TopicPlan> {
  const { name } = wanted
  const nameProblem = topicNameProblem(name)
  if (nameProblem !== undefined) return refuse(errors.invalidTopicException, nameProblem)
  const { topics, settings } = broker
  if (topics.byName(name) !== undefined) {
    return refuse(errors.topicAlreadyExists, `topic "${name}" exists already`)
  }
  const colliding = topics.all.find((topic) => collidingName(topic.name) === collidingName(name))
  if (colliding !== undefined) {
    const message = `topic "${name}" differs from "${colliding.name}" in "." and "_" only`
    return refuse(errors.invalidTopicException, message)
  }
  if (topics.all.length >= topicsMax) {
    return refuse(errors.policyViolation, `there are ${topicsMax} topics already, the limit`)
  }
  const partitions = partitionCountOf(wanted, settings.numPartitions)
  if (partitions.kind === 'refused') return partitions
  const configs = configsOf(wanted)
  if (configs.kind === 'refused') return configs
  return { kind: 'planned', name, partitionCount: partitions.count, configs: configs.values }
}

/** Makes a topic. One that exists, or is being made by somebody else, is refused as such. */
export async function createTopic(
  broker: BrokerParts,
  wanted: TopicWanted,
): Promise<TopicOutcome<{ readonly kind: 'created'; readonly topic: Topic }>> {
  const plan = planTopic(broker, wanted)
  if (plan.kind === 'refused') return plan
  try {
    const { topic, created } = await broker.topics.create(plan)
    if (created) return { kind: 'created', topic }
    return refuse(errors.topicAlreadyExists, `topic "${wanted.name}" exists already`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    broker.report(`topic "${wanted.name}" could not be made: ${reason}`)
    return refuse(errors.kafkaStorageError, reason)
  }
}

function partitionCountOf(
  { numPartitions = -1, replicationFactor = -1, assignments = [] }: TopicWanted,
  fallback: number,
): TopicOutcome<{ readonly kind: 'counted'; readonly count: number }> {
  if (assignments.length > 0) return assignedCount(assignments, numPartitions, replicationFactor)
  if (replicationFactor !== -1 && replicationFactor !== 1) {
    const message = `replication factor ${replicationFactor}: there is 1 broker`
    return refuse(errors.invalidReplicationFactor, message)
  }
  const count = numPartitions === -1 ? fallback : numPartitions
  if (count >= 1 && count <= partitionsPerTopicMax) return { kind: 'counted', count }
  const message = `${count} partitions: a topic has 1–${partitionsPerTopicMax}`
  return refuse(errors.invalidPartitions, message)
}

function assignedCount(
  assignments: readonly Assignment[],
  numPartitions: number,
  replicationFactor: number,
): TopicOutcome<{ readonly kind: 'counted'; readonly count: number }> {
  if (numPartitions !== -1 || replicationFactor !== -1) {
    const message = 'an assignment says partitions and replicas itself: both numbers must be -1'
    return refuse(errors.invalidRequest, message)
  }
  const indexes = new Set(assignments.map(({ partitionIndex }) => partitionIndex))
  const isGapless = assignments.every((_, index) => indexes.has(index))
  if (isGapless && assignments.every(isOnOnlyNode) && assignments.length <= partitionsPerTopicMax) {
    return { kind: 'counted', count: assignments.length }
  }
  const message = 'an assignment numbers its partitions from 0 and gives each to the only broker'
  return refuse(errors.invalidReplicaAssignment, message)
}

/** Whether a partition is given to the only broker, once. */
export function isOnOnlyNode({ brokerIds }: Pick<Assignment, 'brokerIds'>): boolean {
  return brokerIds.length === 1 && brokerIds[0] === nodeId
}

function configsOf({
  configs = [],
}: TopicWanted): TopicOutcome<{ readonly kind: 'checked'; readonly values: ConfigValues }> {
  const values = new Map<string, string>()
  for (const { name, value } of configs) {
    const problem = configProblem(name, value)
    if (problem !== undefined) return refuse(errors.invalidConfig, problem)
    if (value !== null) values.set(name, value)
  }
  return { kind: 'checked', values }
}

function refuse(error: KafkaError, message: string): Refusal {
  return { kind: 'refused', error, message }
}
