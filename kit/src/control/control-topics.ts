import { tracesKeptBytes, tracesKeptMs, tracesSegmentBytes } from '../observe/limits.ts'
import type { TopicRequest } from '../transport/transport.ts'

/** What is parked, and why: one record for each dead letter, compacted. */
export const deadLettersTopic = 'millrace.dead-letters'

/** What services are asked to do, and what became of it. */
export const commandsTopic = 'millrace.commands'

/**
 * Only closed segments are compacted, and on little traffic Kafka's own defaults close one a week.
 * Small segments keep the topic about as large as what it says.
 */
const compactedConfigs: Readonly<Record<string, string>> = {
  'cleanup.policy': 'compact',
  'segment.bytes': String(4 * 1024 * 1024),
  'segment.ms': String(60 * 60 * 1000),
  'min.cleanable.dirty.ratio': '0.1',
}

/** Who is up, what it says and hears, and how it is: one record for each instance, compacted. */
export const servicesTopic = 'millrace.services'

/** The steps of events' lives, for a short while. */
export const tracesTopic = 'millrace.traces'

/**
 * The topics by which services are seen and operated from outside. One partition each: there is
 * little on them, and a reader sees all in one order.
 */
export const controlTopics: readonly TopicRequest[] = [
  { topic: deadLettersTopic, partitions: 1, configs: compactedConfigs },
  { topic: commandsTopic, partitions: 1, configs: { 'retention.ms': String(24 * 60 * 60 * 1000) } },
  { topic: servicesTopic, partitions: 1, configs: { 'cleanup.policy': 'compact' } },
  {
    topic: tracesTopic,
    partitions: 1,
    configs: {
      'retention.ms': String(tracesKeptMs),
      'retention.bytes': String(tracesKeptBytes),
      'segment.bytes': String(tracesSegmentBytes),
    },
  },
]
