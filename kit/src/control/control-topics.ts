import type { TopicRequest } from '../transport/transport.ts'

/** What is parked, and why: one record for each dead letter, compacted. */
export const deadLettersTopic = 'millrace.dead-letters'

/** What services are asked to do, and what became of it. */
export const commandsTopic = 'millrace.commands'

/**
 * The topics by which services are seen and operated from outside. One partition each: there is
 * little on them, and a reader sees all in one order.
 */
export const controlTopics: readonly TopicRequest[] = [
  { topic: deadLettersTopic, partitions: 1, configs: { 'cleanup.policy': 'compact' } },
  { topic: commandsTopic, partitions: 1, configs: { 'retention.ms': String(24 * 60 * 60 * 1000) } },
]
