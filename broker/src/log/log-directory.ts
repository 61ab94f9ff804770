// One data directory: what identifies it, the lock on it, and the logs of all partitions in it.
//
//   meta.properties                     format version, cluster id
//   .lock                               who has it open
//   .kafka_cleanshutdown                there when the last process closed it in order
//   recovery-point-offset-checkpoint    below it everything is on the device
//   log-start-offset-checkpoint         below it everything is deleted
//   journal/                            the broker's own state
//   <topic>-<partition>/                partition.metadata, segments and indexes
//
// D1. The mark of a clean shutdown is gone, durably, before anything is appended, and is set only
//     when every partition was open and none had failed.
// D2. The start of a log is durable before what lies below it is deleted.
// D3. Checkpoints forget a deleted partition before one of its name is made: that one begins at 0.

import { type Disk, DiskError, type DiskLock, ROOT } from '../disk/disk.ts'
import type { Defer } from '../disk/group-commit.ts'
import { replaceWhole } from '../disk/whole-file.ts'
import type { Rest } from './cleaning.ts'
import { Flusher } from './flusher.ts'
import type { FlushPolicy, LogConfig } from './log-config.ts'
import { LogDamagedError } from './log-damaged-error.ts'
import { openMetaProperties } from './meta-properties.ts'
import { OffsetCheckpoint } from './offset-checkpoint.ts'
import {
  directoryName,
  findPartitionDirectories,
  giveUpDirectory,
  makePartitionDirectory,
  type PartitionDirectory,
  removeDirectory,
} from './partition-directory.ts'
import { PartitionLog } from './partition-log.ts'
import { ReadBuffers } from './read-buffers.ts'
import { recoverLog } from './recovery.ts'

export type { PartitionDirectory } from './partition-directory.ts'

export interface LogDirectoryOptions {
  readonly disk: Disk
  readonly flush: FlushPolicy
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** One line for people about what recovery and housekeeping found and did. */
  readonly report: (line: string) => void
  /** Used when the directory is new; an existing one keeps its own. */
  readonly clusterId: string
  /** When a group of syncs begins; by default after the events of a loop turn. */
  readonly defer?: Defer
}

export interface NewPartitions {
  readonly topic: string
  /** 16 bytes in base64url. */
  readonly topicId: string
  readonly partitions: readonly number[]
  readonly config: LogConfig
}

/** Journals lie in it; it is made here, so that it is durable before any of them. */
const JOURNAL_DIRECTORY = 'journal'

const lockName = '.lock'
const cleanShutdownName = '.kafka_cleanshutdown'

export class LogDirectory implements AsyncDisposable {
  readonly clusterId: string
  readonly flusher: Flusher
  /** Partition directories found on opening. */
  readonly found: readonly PartitionDirectory[]
  readonly #options: LogDirectoryOptions
  readonly #lock: DiskLock
  readonly #wasClean: boolean
  readonly #buffers = new ReadBuffers()
  readonly #logs = new Map<string, PartitionLog>()
  readonly #recoveryPoints: OffsetCheckpoint
  readonly #logStarts: OffsetCheckpoint
  /** Checkpointed offsets of the partitions that are not open. */
  readonly #unopened = new Map<string, Checkpointed>()
  /** Partitions that are gone, and that the checkpoints on the device may still speak of. */
  readonly #gone = new Set<string>()
  #checkpointing: Promise<void> = Promise.resolve()

  /**
   * Opens a data directory, or makes one of an empty directory. No log is open yet.
   * @throws DiskError `locked`; DataFormatError; LogDamagedError
   */
  static async open(options: LogDirectoryOptions): Promise<LogDirectory> {
    const { disk } = options
    const lock = disk.lock(lockName)
    try {
      const clusterId = await openMetaProperties(disk, options.clusterId)
      disk.makeDirectory(JOURNAL_DIRECTORY)
      const found = findPartitionDirectories(disk)
      const wasClean = disk.list(ROOT)?.includes(cleanShutdownName) === true
      disk.remove(cleanShutdownName)
      await disk.syncDirectory(ROOT) // D1
      return new LogDirectory(options, { lock, clusterId, found, wasClean })
    } catch (error) {
      lock.release()
      throw error
    }
  }

  private constructor(options: LogDirectoryOptions, opened: Opened) {
    this.#options = options
    this.#lock = opened.lock
    this.#wasClean = opened.wasClean
    this.clusterId = opened.clusterId
    this.found = opened.found
    this.flusher = new Flusher(options.flush, options.defer)
    this.#recoveryPoints = new OffsetCheckpoint(options.disk, 'recovery-point-offset-checkpoint')
    this.#logStarts = new OffsetCheckpoint(options.disk, 'log-start-offset-checkpoint')
    const recoveryPoints = this.#recoveryPoints.read()
    const logStarts = this.#logStarts.read()
    for (const { topic, partition } of opened.found) {
      const name = directoryName(topic, partition)
      const recoveryPoint = recoveryPoints.get(name) ?? 0n
      this.#unopened.set(name, { recoveryPoint, logStartOffset: logStarts.get(name) })
    }
    for (const name of [...recoveryPoints.keys(), ...logStarts.keys()]) {
      if (!this.#unopened.has(name)) this.#gone.add(name)
    }
  }

  /** The open logs. */
  get logs(): Iterable<PartitionLog> {
    return this.#logs.values()
  }

  /** The log of a partition, if it is open. */
  log(topic: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(directoryName(topic, partition))
  }

  /**
   * Opens and recovers the log of a directory that was found.
   * @throws LogDamagedError when what was durable is gone or broken
   */
  async openPartition(topic: string, partition: number, config: LogConfig): Promise<PartitionLog> {
    const name = directoryName(topic, partition)
    const checkpointed = this.#unopened.get(name)
    if (checkpointed === undefined) {
      const location = this.#options.disk.location(name)
      throw new LogDamagedError(location, 'the directory of the partition is missing')
    }
    const cleanShutdown = this.#wasClean
    const log = await this.#open({ topic, partition, config }, { ...checkpointed, cleanShutdown })
    this.#unopened.delete(name)
    return log
  }

  async #open(
    partition: { readonly topic: string; readonly partition: number; readonly config: LogConfig },
    known: Checkpointed & { readonly cleanShutdown: boolean },
  ): Promise<PartitionLog> {
    const { disk, now, report } = this.#options
    const directory = directoryName(partition.topic, partition.partition)
    const recovered = await recoverLog({
      disk,
      directory,
      now,
      report,
      indexIntervalBytes: partition.config.indexIntervalBytes,
      ...known,
    })
    const { flusher } = this
    const log = new PartitionLog(
      { ...partition, disk, directory, flusher, buffers: this.#buffers, now, report },
      recovered,
    )
    this.#logs.set(directory, log)
    return log
  }

  /**
   * Makes the directories of new partitions: all of them, durable when it resolves, or none.
   * @throws DiskError
   */
  async createPartitions(created: NewPartitions): Promise<readonly PartitionLog[]> {
    const { disk } = this.#options
    const { topic, topicId, config, partitions } = created
    const existing = partitions.find((at) => disk.list(directoryName(topic, at)) !== undefined)
    if (existing !== undefined) {
      throw new DiskError(
        'failed',
        `${disk.location(directoryName(topic, existing))} is in the way`,
      )
    }
    const names = partitions.map((partition) => directoryName(topic, partition))
    if (names.some((name) => this.#gone.has(name))) await this.checkpoint() // D3
    try {
      for (const partition of partitions) {
        await makePartitionDirectory(disk, { topic, partition, topicId })
      }
      const fresh = { recoveryPoint: 0n, logStartOffset: undefined, cleanShutdown: true }
      const openings = partitions.map((partition) =>
        this.#open({ topic, partition, config }, fresh),
      )
      await Promise.allSettled(openings) // None may go on while all of them are deleted.
      const logs = await Promise.all(openings)
      await disk.syncDirectory(ROOT)
      return logs
    } catch (error) {
      const ignored = () => {} // What brought us here is what matters.
      await this.deletePartitions(topic, partitions).catch(ignored)
      throw error
    }
  }

  /** Deletes partitions with everything in them. Durable when it resolves. */
  async deletePartitions(topic: string, partitions: readonly number[]): Promise<void> {
    const { disk } = this.#options
    const names = partitions.map((partition) => directoryName(topic, partition))
    const logs = names.flatMap((name) => this.#logs.get(name) ?? [])
    for (const name of names) {
      this.#logs.delete(name)
      this.#unopened.delete(name)
      this.#gone.add(name)
    }
    await Promise.all(logs.map((log) => log.discard()))
    const existing = names.filter((name) => disk.list(name) !== undefined)
    const givenUp = existing.map((name) => giveUpDirectory(disk, name))
    await disk.syncDirectory(ROOT)
    for (const directory of givenUp) removeDirectory(disk, directory)
  }

  /** Deletes records below an offset, up to the high watermark. Durable when it resolves. */
  async deleteRecords(log: PartitionLog, before: bigint): Promise<bigint> {
    const logStartOffset = await log.advanceLogStart(before)
    await this.checkpoint() // D2
    await log.deleteSegmentsBelow(logStartOffset)
    return logStartOffset
  }

  /**
   * To be called when what was found is open. What recovery read is on the device now: the next
   * start need not read it again, and takes damage in it for what it is. Without space for the
   * checkpoint that start does without.
   */
  async checkpointRecovery(): Promise<void> {
    if (this.#wasClean || this.#logs.size === 0) return
    try {
      await this.checkpoint()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#options.report(`what was recovered is not noted: ${reason}`)
    }
  }

  /** Deletes segments that are past their topic's retention. */
  async applyRetention(): Promise<void> {
    const logs = [...this.#logs.values()].filter((log) => log.status.kind === 'open')
    await Promise.all(logs.map((log) => log.applyRetention()))
    // By the end of the checkpoint a log may start even later, which is not durable then.
    const starts = logs.map((log) => ({ log, logStartOffset: log.logStartOffset }))
    await this.checkpoint() // D2
    await Promise.all(
      starts.map(({ log, logStartOffset }) => log.deleteSegmentsBelow(logStartOffset)),
    )
  }

  /** Compacts the logs whose topics say so, one after the other. */
  async compact(rest: Rest): Promise<void> {
    for (const log of this.#logs.values()) {
      if (log.status.kind === 'open' && log.config.compaction !== null) await log.compact(rest)
    }
  }

  /** Writes the checkpoints, one call after the other. */
  checkpoint(): Promise<void> {
    const turn = this.#checkpointing.then(() => this.#writeCheckpoints())
    this.#checkpointing = turn.catch(() => {})
    return turn
  }

  async #writeCheckpoints(): Promise<void> {
    const recoveryPoints = new Map<string, bigint>()
    const logStarts = new Map<string, bigint>()
    for (const [name, { recoveryPoint, logStartOffset }] of [...this.#unopened, ...this.#logs]) {
      recoveryPoints.set(name, recoveryPoint)
      if (logStartOffset !== undefined) logStarts.set(name, logStartOffset)
    }
    const gone = [...this.#gone]
    await this.#logStarts.write(logStarts)
    await this.#recoveryPoints.write(recoveryPoints)
    for (const name of gone) this.#gone.delete(name)
  }

  /** Syncs and closes all logs, marks the shutdown as clean, and releases the lock. */
  async close(): Promise<void> {
    const logs = [...this.#logs.values()]
    try {
      const closings = await Promise.all(logs.map((log) => log.close()))
      await this.checkpoint()
      const isClean = closings.every((clean) => clean) && this.#unopened.size === 0
      const place = { directory: ROOT, name: cleanShutdownName }
      if (isClean) await replaceWhole(this.#options.disk, place, new Uint8Array(0)) // D1
    } finally {
      this.#lock.release()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

interface Opened {
  readonly lock: DiskLock
  readonly clusterId: string
  readonly found: readonly PartitionDirectory[]
  readonly wasClean: boolean
}

interface Checkpointed {
  readonly recoveryPoint: bigint
  readonly logStartOffset: bigint | undefined
}
