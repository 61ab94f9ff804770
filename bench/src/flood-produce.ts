import { errorNameOf } from '@millrace/wire'
import { batchOf, produceErrorOf, produceFrame, recordBytes, recordsPerBatch } from './batches.ts'
import { RawConnection } from './raw-connection.ts'
import type { BenchTopic } from './topics.ts'

/** Several connections, each with as many requests in flight as Kafka's own producer has. */
const floodConnections = 4
const floodInFlight = 5

/** Kafka answers CreateTopics before all of it knows the topic; what it refuses is sent again. */
const refusalsMax = 10_000

/**
 * Writes at least so many bytes of values to a topic, as fast as the server takes them: requests
 * are made beforehand, so that the client costs little beside the server. Gives the bytes.
 */
export async function floodProduce(
  port: number,
  { name, partitions }: BenchTopic,
  bytes: number,
): Promise<number> {
  const batch = batchOf(recordsPerBatch)
  const frames = Array.from({ length: partitions }, (_, index) => produceFrame(name, index, batch))
  const requests = Math.ceil(bytes / (recordsPerBatch * recordBytes))
  let sent = 0
  let refusals = 0
  await Promise.all(
    Array.from({ length: floodConnections }, async (_, index) => {
      using connection = await RawConnection.open(port)
      let turn = index
      await connection.pipeline(floodInFlight, (answer) => {
        const errorCode = answer === null ? 0 : produceErrorOf(answer, name)
        if (errorCode !== 0) {
          refusals += 1
          sent -= 1
          if (refusals > refusalsMax) throw new Error(`${name}: ${errorNameOf(errorCode)}`)
        }
        if (sent === requests) return null
        sent += 1
        turn += 1
        return frames[turn % partitions] ?? null
      })
    }),
  )
  return requests * recordsPerBatch * recordBytes
}
