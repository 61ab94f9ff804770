import { randomBytes } from 'node:crypto'
import { encodeBatch, Produce } from '@millrace/wire'
import { frameOf } from './raw-connection.ts'

/** What every measurement of throughput writes: values of 1 KiB that do not compress. */
export const recordBytes = 1024

/** What a producer with its default `batch.size` of 16 KiB puts into a batch. */
export const recordsPerBatch = 15

const produceVersion = 9
const timeoutMs = 30_000

export function batchOf(recordCount: number): Buffer {
  const records = Array.from({ length: recordCount }, () => ({
    timestamp: BigInt(Date.now()),
    value: randomBytes(recordBytes),
  }))
  return Buffer.from(encodeBatch(records).bytes)
}

/** A produce request with one batch, at acks=all. */
export function produceFrame(topic: string, partition: number, batch: Uint8Array): Buffer {
  return frameOf(Produce, produceVersion, {
    acks: -1,
    timeoutMs,
    topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
  })
}

/** Where the error code of the answer to such a request stands: after the header and two names. */
export function produceErrorOf(answer: Buffer, topic: string): number {
  const correlationAndTags = 5
  const countsAndName = 1 + 1 + Buffer.byteLength(topic) + 1
  const partition = 4
  return answer.readInt16BE(correlationAndTags + countsAndName + partition)
}
