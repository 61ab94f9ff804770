import { CreateTopics, encodeBatch, errors, Produce, type RecordInput } from '@millrace/wire'
import { type Broker, type BrokerOptions, startBroker } from '../src/start-broker.ts'
import { WireClient } from './wire-client.ts'

/** A broker in memory on one address of this machine, at a port that the system gives. */
export function startTestBroker(options: BrokerOptions = {}): Promise<Broker> {
  return startBroker({ listeners: [{ host: '127.0.0.1', port: 0 }], ...options })
}

export async function clientOf(broker: Broker): Promise<WireClient> {
  const [address] = broker.addresses
  if (address === undefined) throw new Error('the broker listens nowhere')
  return WireClient.connect(address)
}

export async function makeTopic(
  client: WireClient,
  name: string,
  { partitions = 1, configs = {} }: { partitions?: number; configs?: Record<string, string> } = {},
): Promise<string> {
  const { topics } = await client.ask(CreateTopics, 7, {
    topics: [
      {
        name,
        numPartitions: partitions,
        replicationFactor: 1,
        assignments: [],
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      },
    ],
    validateOnly: false,
  })
  const [topic] = topics
  if (topic?.errorCode !== errors.none.code) {
    throw new Error(`topic "${name}": ${topic?.errorMessage}`)
  }
  return topic.topicId
}

const text = new TextEncoder()

/** A batch of records with these values. */
export function batchOf(...values: readonly string[]): Uint8Array {
  const records = values.map((value): RecordInput => ({ timestamp: 0n, value: text.encode(value) }))
  return encodeBatch(records, {}).bytes
}

/** A produce request for one partition. */
export function produceOf(
  topic: string,
  records: Uint8Array,
  { acks = -1, partition = 0 }: { acks?: number; partition?: number } = {},
) {
  const partitionData = [{ index: partition, records }]
  return { acks, timeoutMs: 1000, topicData: [{ name: topic, partitionData }] }
}

/** Produces one batch and returns its base offset. */
export async function produce(
  client: WireClient,
  topic: string,
  ...values: readonly string[]
): Promise<bigint> {
  const { responses } = await client.ask(Produce, 9, produceOf(topic, batchOf(...values)))
  const partition = responses[0]?.partitionResponses[0]
  if (partition?.errorCode !== errors.none.code) {
    throw new Error(`produce to "${topic}": error ${partition?.errorCode}`)
  }
  return partition.baseOffset
}
