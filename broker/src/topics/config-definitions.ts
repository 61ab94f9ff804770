// Every config that a topic has, as data: its type and Kafka's default, the broker's setting of the
// same meaning, and what it does here.

import { type ConfigValue, choice, flag, int, list, long, longMax, ratio } from './config-values.ts'

export interface ConfigDefinition {
  readonly name: string
  /** The broker's setting of the same meaning (Kafka's `ServerTopicConfigSynonyms`). */
  readonly synonym: string
  readonly value: ConfigValue
  readonly documentation: string
}

export const topicConfigDefinitions: readonly ConfigDefinition[] = [
  {
    name: 'cleanup.policy',
    synonym: 'log.cleanup.policy',
    value: list('delete', ['compact', 'delete']),
    documentation:
      'What becomes of old records: `delete` by age and size, `compact` to the last of each key.',
  },
  {
    name: 'compression.type',
    synonym: 'compression.type',
    value: choice('producer', ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer']),
    documentation: 'Batches stay as their producers compressed them, whatever this says.',
  },
  {
    name: 'delete.retention.ms',
    synonym: 'log.cleaner.delete.retention.ms',
    value: long(86_400_000n, 0n),
    documentation: 'How long a compacted topic keeps its tombstones.',
  },
  {
    name: 'file.delete.delay.ms',
    synonym: 'log.segment.delete.delay.ms',
    value: long(60_000n, 0n),
    documentation: 'How long a deleted segment may stay on disk.',
  },
  {
    name: 'flush.messages',
    synonym: 'log.flush.interval.messages',
    value: long(longMax, 1n),
    documentation: 'What is acknowledged is synced, whatever this says.',
  },
  {
    name: 'flush.ms',
    synonym: 'log.flush.interval.ms',
    value: long(longMax, 0n),
    documentation: 'What is acknowledged is synced, whatever this says.',
  },
  {
    name: 'index.interval.bytes',
    synonym: 'log.index.interval.bytes',
    value: int(4096n, 0n),
    documentation: 'About so many bytes of log lie between two index entries.',
  },
  {
    name: 'max.compaction.lag.ms',
    synonym: 'log.cleaner.max.compaction.lag.ms',
    value: long(longMax, 1n),
    documentation: 'The longest that a record of a compacted topic stays uncompacted.',
  },
  {
    name: 'max.message.bytes',
    synonym: 'message.max.bytes',
    value: int(1_048_588n, 0n),
    documentation: 'The largest batch that is taken, counting its header.',
  },
  {
    name: 'message.timestamp.after.max.ms',
    synonym: 'log.message.timestamp.after.max.ms',
    value: long(3_600_000n, 0n),
    documentation: 'How far in the future a timestamp may lie.',
  },
  {
    name: 'message.timestamp.before.max.ms',
    synonym: 'log.message.timestamp.before.max.ms',
    value: long(longMax, 0n),
    documentation: 'How far in the past a timestamp may lie; not checked here.',
  },
  {
    name: 'message.timestamp.type',
    synonym: 'log.message.timestamp.type',
    value: choice('CreateTime', ['CreateTime', 'LogAppendTime']),
    documentation: 'Whether records bear the time of their making or that of their appending.',
  },
  {
    name: 'min.cleanable.dirty.ratio',
    synonym: 'log.cleaner.min.cleanable.ratio',
    value: ratio(0.5),
    documentation: 'How much of a compacted log is dirty before it is cleaned.',
  },
  {
    name: 'min.compaction.lag.ms',
    synonym: 'log.cleaner.min.compaction.lag.ms',
    value: long(0n, 0n),
    documentation: 'The shortest that a record of a compacted topic stays uncompacted.',
  },
  {
    name: 'min.insync.replicas',
    synonym: 'min.insync.replicas',
    value: int(1n, 1n),
    documentation:
      'How many replicas must have a batch with acks=all; never more than there are, which is one.',
  },
  {
    name: 'preallocate',
    synonym: 'log.preallocate',
    value: flag(false),
    documentation: 'Whether segments are made at their full size; they are not here.',
  },
  {
    name: 'retention.bytes',
    synonym: 'log.retention.bytes',
    value: long(-1n),
    documentation: 'The size of a partition past which old segments go; -1 sets no limit.',
  },
  {
    name: 'retention.ms',
    synonym: 'log.retention.ms',
    value: long(604_800_000n, -1n),
    documentation: 'The age past which segments go; -1 keeps them for ever.',
  },
  {
    name: 'segment.bytes',
    synonym: 'log.segment.bytes',
    value: int(1_073_741_824n, 14n),
    documentation: 'The size at which a segment is closed and a new one begun.',
  },
  {
    name: 'segment.index.bytes',
    synonym: 'log.index.size.max.bytes',
    value: int(10_485_760n, 4n),
    documentation: 'The largest size of an index; not limited here.',
  },
  {
    name: 'segment.jitter.ms',
    synonym: 'log.roll.jitter.ms',
    value: long(0n, 0n),
    documentation: 'A chance share of segment.ms, so that not all roll at once; none here.',
  },
  {
    name: 'segment.ms',
    synonym: 'log.roll.ms',
    value: long(604_800_000n, 1n),
    documentation: 'The age at which a segment is closed and a new one begun.',
  },
  {
    name: 'unclean.leader.election.enable',
    synonym: 'unclean.leader.election.enable',
    value: flag(false),
    documentation: 'Whether a replica that is behind may lead; there is one replica here.',
  },
]

/** The definition of a topic config, by its name. */
export const topicConfigByName: ReadonlyMap<string, ConfigDefinition> = new Map(
  topicConfigDefinitions.map((definition) => [definition.name, definition]),
)
