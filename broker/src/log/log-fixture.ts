// For tests: a data directory on the faulty disk, and batches to append to it.

import {
  type BatchOptions,
  encodeBatch,
  type KafkaRecord,
  readBatch,
  recordsIn,
} from '@millrace/wire'
import type { Disk } from '../disk/disk.ts'
import { FaultyDisk } from '../disk/faulty-disk.ts'
import { LOG_CONFIG_DEFAULT, type LogConfig } from './log-config.ts'
import { LogDirectory, type LogDirectoryOptions } from './log-directory.ts'
import type { PartitionLog, StorageLevel, StorageOutcome } from './partition-log.ts'

/** What the clock of these tests shows until they move it. */
export const START_MS = 1_700_000_000_000

export const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

export const text = (bytes: Uint8Array | null) => new TextDecoder().decode(bytes ?? undefined)
const bytes = (value: string) => new TextEncoder().encode(value)

export interface BatchSketch extends BatchOptions {
  readonly values: readonly string[]
  /** Of each record; without it all are from START_MS. */
  readonly timestamps?: readonly number[]
}

export function batchOf({ values, timestamps, ...options }: BatchSketch): Uint8Array {
  const records = values.map((value, index) => ({
    timestamp: BigInt(timestamps?.[index] ?? START_MS),
    value: bytes(value),
  }))
  return encodeBatch(records, options).bytes
}

export const openDisk = () => new FaultyDisk({ now: () => START_MS })

/** Opens the data directory on a disk. */
export async function openDirectory(
  disk: Disk,
  options: Partial<LogDirectoryOptions> = {},
): Promise<{ readonly directory: LogDirectory; readonly reports: string[] }> {
  const reports: string[] = []
  const directory = await LogDirectory.open({
    disk,
    flush: 'ack',
    now: () => START_MS,
    report: (line) => reports.push(line),
    clusterId: 'cluster',
    defer: queueMicrotask,
    ...options,
  })
  return { directory, reports }
}

/** A data directory with one partition, `orders-0`. */
export async function openLog(
  disk: Disk,
  config: Partial<LogConfig> = {},
  options: Partial<LogDirectoryOptions> = {},
) {
  const { directory, reports } = await openDirectory(disk, options)
  const wanted = { ...LOG_CONFIG_DEFAULT, ...config }
  const log =
    directory.found.length > 0
      ? await directory.openPartition('orders', 0, wanted)
      : await createLog(directory, 'orders', wanted)
  return { directory, reports, log }
}

export async function createLog(
  directory: LogDirectory,
  topic: string,
  config: LogConfig = LOG_CONFIG_DEFAULT,
): Promise<PartitionLog> {
  const created = { topic, topicId: TOPIC_ID, partitions: [0], config }
  const [log] = await directory.createPartitions(created)
  if (log === undefined) throw new Error('no partition was made')
  return log
}

/** Appends a batch that must be taken, without ending the turn. */
export function place(log: PartitionLog, sketch: BatchSketch) {
  const outcome = log.append(batchOf(sketch), { zstdAllowed: true })
  if (outcome.kind === 'rejected') throw new Error(outcome.message)
  return outcome.placed
}

export function stored(
  log: PartitionLog,
  offset: bigint,
  level: StorageLevel = 'durable',
): Promise<StorageOutcome> {
  return new Promise((resolve) => log.onStored(offset, level, resolve))
}

/** Appends batches of one record each, and waits until they are durable. */
export async function appendAll(
  directory: LogDirectory,
  log: PartitionLog,
  values: readonly string[],
): Promise<void> {
  for (const value of values) {
    const { lastOffset } = place(log, { values: [value] })
    directory.flusher.commitTurn()
    const outcome = await stored(log, lastOffset)
    if (outcome.kind === 'failed') throw new Error(outcome.message)
  }
}

/** All records from an offset to the high watermark. */
export function recordsFrom(log: PartitionLog, offset: bigint, bytesMax = 1000): KafkaRecord[] {
  const records: KafkaRecord[] = []
  let next = offset
  while (next < log.highWatermark) {
    const outcome = log.read(next, bytesMax)
    if (outcome.kind !== 'read') throw new Error(`reading at ${next}: ${outcome.kind}`)
    // The buffer is given back at once: what is kept of it is a copy.
    const content = Uint8Array.from(outcome.batches.bytes)
    outcome.batches.release()
    if (content.length === 0) throw new Error(`nothing at ${next}, below the high watermark`)
    for (let position = 0; position < content.length; ) {
      const batch = readBatch(content, position)
      if (batch.kind !== 'batch') throw new Error(batch.kind)
      records.push(...recordsIn(batch.batch))
      next = batch.batch.header.lastOffset + 1n
      position += batch.batch.bytes.length
    }
  }
  return records.filter((record) => record.offset >= offset)
}

export const valuesFrom = (log: PartitionLog, offset: bigint): string[] =>
  recordsFrom(log, offset).map(({ value }) => text(value))

export const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `value-${from + index}`)
