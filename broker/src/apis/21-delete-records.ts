// DeleteRecords moves the start of partitions forward; offset -1 is the high watermark (KIP-107).

import { DeleteRecords, errors, type KafkaError, type ResponseInput } from '@millrace/wire'
import type { BrokerParts } from '../broker-parts.ts'
import { handler } from '../handler.ts'

type PartitionResponse = ResponseInput<typeof DeleteRecords>['topics'][number]['partitions'][number]

interface Wanted {
  readonly topic: string
  readonly partitionIndex: number
  readonly offset: bigint
}

export const deleteRecords = handler(DeleteRecords, async (request, { broker }) => ({
  throttleTimeMs: 0,
  topics: await Promise.all(
    request.topics.map(async ({ name: topic, partitions }) => ({
      name: topic,
      partitions: await Promise.all(
        partitions.map((partition) => deleteBefore({ topic, ...partition }, broker)),
      ),
    })),
  ),
}))

async function deleteBefore(
  { topic, partitionIndex, offset }: Wanted,
  broker: BrokerParts,
): Promise<PartitionResponse> {
  const failed = ({ code }: KafkaError): PartitionResponse => ({
    partitionIndex,
    lowWatermark: -1n,
    errorCode: code,
  })
  const log = broker.topics.byName(topic)?.partitions[partitionIndex]
  if (log === undefined) return failed(errors.unknownTopicOrPartition)
  const before = offset === -1n ? log.highWatermark : offset
  if (before < 0n || before > log.highWatermark) return failed(errors.offsetOutOfRange)
  try {
    const lowWatermark = await broker.logs.deleteRecords(log, before)
    return { partitionIndex, lowWatermark, errorCode: errors.none.code }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    broker.report(`records of ${topic}-${partitionIndex} could not be deleted: ${reason}`)
    return failed(errors.kafkaStorageError)
  }
}
