// What a topic may configure of its logs. Names follow Kafka's topic settings.

import type { CompactionPolicy } from './compaction.ts'

/** `ack`: synced before it is acknowledged. `os`: left to the operating system, Kafka's default. */
export type FlushPolicy = 'ack' | 'os'

export type MessageTimestampType = 'CreateTime' | 'LogAppendTime'

export interface LogConfig {
  /** `segment.bytes`: a segment that would grow past this is closed and a new one begun. */
  readonly segmentBytes: number
  /** `segment.ms`: a segment whose first batch is older than this is closed at the next append. */
  readonly segmentMs: number
  /** `retention.ms`; -1 keeps records for ever. */
  readonly retentionMs: number
  /** `retention.bytes`, per partition; -1 sets no limit. */
  readonly retentionBytes: number
  /** `max.message.bytes`: the largest batch that is taken, counting its 61-byte header. */
  readonly maxMessageBytes: number
  /** `message.timestamp.type`. */
  readonly messageTimestampType: MessageTimestampType
  /** `message.timestamp.after.max.ms`: how far in the future a producer's timestamp may lie. */
  readonly timestampAfterMaxMs: number
  /** Null where `cleanup.policy` does not compact; where it does, every record needs a key. */
  readonly compaction: CompactionPolicy | null
  /** `index.interval.bytes`: about so many bytes of log lie between two index entries. */
  readonly indexIntervalBytes: number
}

/** Kafka's defaults. */
export const LOG_CONFIG_DEFAULT: LogConfig = {
  segmentBytes: 1_073_741_824,
  segmentMs: 604_800_000,
  retentionMs: 604_800_000,
  retentionBytes: -1,
  maxMessageBytes: 1_048_588,
  messageTimestampType: 'CreateTime',
  timestampAfterMaxMs: 3_600_000,
  compaction: null,
  indexIntervalBytes: 4096,
}
