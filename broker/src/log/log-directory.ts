// One data directory: what identifies it, the lock on it, and the logs of all partitions in it.
//
//   meta.properties                     format version, cluster id
//   .lock                               who has it open
//   .kafka_cleanshutdown                there when the last process closed it in order
//   recovery-point-offset-checkpoint    below it everything is on the device
//   log-start-offset-checkpoint         below it everything is deleted
//   journal/                            the broker's own state
//   <topic>-<partition>/                partition.metadata, segments and indexes

import type { Disk } from '../disk/disk.ts'
import type { Flusher } from './flusher.ts'
import type { FlushPolicy, LogConfig } from './log-config.ts'
import type { PartitionLog } from './partition-log.ts'

export interface LogDirectoryOptions {
  readonly disk: Disk
  readonly flush: FlushPolicy
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** One line for people about what recovery and housekeeping found and did. */
  readonly report: (line: string) => void
  /** Used when the directory is new; an existing one keeps its own. */
  readonly clusterId: string
}

/** A partition directory as found on opening. Its log is not open yet. */
export interface PartitionDirectory {
  readonly topic: string
  readonly partition: number
  /** 16 bytes in base64url, as Kafka writes topic ids. */
  readonly topicId: string
}

export interface NewPartitions {
  readonly topic: string
  readonly topicId: string
  readonly partitions: readonly number[]
  readonly config: LogConfig
}

export interface LogDirectory extends AsyncDisposable {
  readonly clusterId: string
  readonly flusher: Flusher
  /** Partition directories found on opening, in no order. */
  readonly found: readonly PartitionDirectory[]
  /** The open logs. */
  readonly logs: Iterable<PartitionLog>

  /** The log of a partition, if it is open. */
  log(topic: string, partition: number): PartitionLog | undefined

  /**
   * Opens and recovers the log of a directory that was found.
   * @throws LogDamagedError when what was durable is gone or broken
   */
  openPartition(topic: string, partition: number, config: LogConfig): Promise<PartitionLog>

  /** Makes the directories of new partitions. Durable when it resolves. */
  createPartitions(partitions: NewPartitions): Promise<readonly PartitionLog[]>

  /** Deletes partitions with everything in them. Durable when it resolves. */
  deletePartitions(topic: string, partitions: readonly number[]): Promise<void>

  /** Deletes records below an offset, at most up to the high watermark. Durable when it resolves. */
  deleteRecords(topic: string, partition: number, before: bigint): Promise<bigint>

  /** Writes the checkpoints. */
  checkpoint(): Promise<void>

  /** Deletes segments that are past their topic's retention. */
  applyRetention(): Promise<void>

  /** Syncs and closes all logs, marks the shutdown as clean, and releases the lock. */
  close(): Promise<void>
}
