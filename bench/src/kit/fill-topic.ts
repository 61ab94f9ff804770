import { type OutgoingRecord, openKafka, readKafkaConfig } from '@millrace/kit'
import { recordValue, topic } from './bench-catalogue.ts'

export interface Filling {
  readonly brokers: string
  readonly events: number
  readonly partitions: number
  /** The account of each event: its key. */
  readonly accountOf: (number: number) => number
}

/** Makes the topic anew with events that lie in all its partitions alike. */
export async function fillTopic(filling: Filling): Promise<void> {
  const { brokers, events, partitions, accountOf } = filling
  await using transport = openKafka(readKafkaConfig({ KAFKA_BROKERS: brokers }))
  await transport.ensureTopics([{ topic, partitions }])
  const batchMax = 1_000
  for (let from = 0; from < events; from += batchMax) {
    const batches = new Map<number, OutgoingRecord[]>()
    for (let number = from; number < Math.min(from + batchMax, events); number++) {
      const account = accountOf(number)
      const batch = batches.get(account % partitions) ?? []
      batches.set(account % partitions, batch)
      batch.push({
        key: Buffer.from(String(account)),
        value: Buffer.from(recordValue(number, account)),
        headers: [],
        timestampMs: Date.now(),
      })
    }
    for (const [partition, records] of batches) {
      const sent = await transport.send({ topic, partition }, records)
      if (sent.kind !== 'sent') throw new Error(`the topic cannot be filled: ${sent.message}`)
    }
  }
}

/** Small accounts come more often: a few keys have most of the events. */
export function zipf(keys: number): (number: number) => number {
  const weights = Array.from({ length: keys }, (_, key) => 1 / (key + 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const ends = weights.map(
    (
      (sum) => (weight: number) =>
        (sum += weight / total)
    )(0),
  )
  return (number) => {
    // The same for every run: a fixed sequence that looks like chance.
    const drawn = ((Math.imul(number + 1, 2_654_435_761) >>> 0) + 0.5) / 2 ** 32
    return ends.findIndex((end) => drawn < end)
  }
}
