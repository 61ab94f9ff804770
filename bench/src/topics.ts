import { randomUUID } from 'node:crypto'
import { CreateTopics, DeleteTopics, errorNameOf } from '@millrace/wire'
import { RawConnection } from './raw-connection.ts'

const createTopicsVersion = 5
const deleteTopicsVersion = 5
const timeoutMs = 30_000

/** A topic for one measurement, deleted after it: writing back its data would slow the next. */
export interface BenchTopic extends AsyncDisposable {
  readonly name: string
  readonly partitions: number
}

export async function makeTopic(port: number, partitions: number): Promise<BenchTopic> {
  const name = `bench-${randomUUID()}`
  using connection = await RawConnection.open(port)
  const errorCode = await createTopic(connection, name, partitions)
  if (errorCode !== 0) throw new Error(`topic ${name} was not made: ${errorNameOf(errorCode)}`)
  return {
    name,
    partitions,
    async [Symbol.asyncDispose]() {
      using connection = await RawConnection.open(port)
      await connection.request(DeleteTopics, deleteTopicsVersion, {
        topicNames: [name],
        topics: [],
        timeoutMs,
      })
    },
  }
}

/** Kafka's error code: 0 for a topic that was made. */
export async function createTopic(
  connection: RawConnection,
  name: string,
  numPartitions: number,
): Promise<number> {
  const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
  const { topics } = await connection.request(CreateTopics, createTopicsVersion, {
    topics: [topic],
    timeoutMs,
    validateOnly: false,
  })
  return topics[0]?.errorCode ?? -1
}
