import { decodeResponse, errorNameOf, Fetch, Reader } from '@millrace/wire'
import { batchOf, recordBytes, recordsPerBatch } from './batches.ts'
import { frameOf, RawConnection } from './raw-connection.ts'
import type { BenchTopic } from './topics.ts'

const fetchVersion = 12
const fetchBytes = 1024 * 1024

/**
 * Reads the first partition of a topic that `floodProduce` filled, 1 MiB a request, one request at
 * a time. All batches are alike, so their number tells the next offset. Gives the bytes of values.
 */
export async function floodFetch(port: number, topic: BenchTopic): Promise<number> {
  using connection = await RawConnection.open(port)
  const batchBytes = batchOf(recordsPerBatch).byteLength
  let offset = 0n
  await connection.pipeline(1, (answer) => {
    if (answer !== null) {
      const read = Math.floor(recordsIn(answer) / batchBytes)
      if (read === 0) return null
      offset += BigInt(read * recordsPerBatch)
    }
    return fetchFrame(topic.name, offset)
  })
  return Number(offset) * recordBytes
}

function recordsIn(answer: Buffer): number {
  const { response } = decodeResponse(Fetch, fetchVersion, new Reader(answer))
  const partition = response.responses[0]?.partitions[0]
  const errorCode = partition?.errorCode ?? response.errorCode
  if (errorCode !== 0) throw new Error(`fetch was answered ${errorNameOf(errorCode)}`)
  return partition?.records?.byteLength ?? 0
}

function fetchFrame(topic: string, fetchOffset: bigint): Buffer {
  return frameOf(Fetch, fetchVersion, {
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: fetchBytes,
    isolationLevel: 0,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: fetchBytes }] }],
    forgottenTopicsData: [],
  })
}
