import { recordBytes } from './batches.ts'
import { floodFetch } from './flood-fetch.ts'
import { floodProduce } from './flood-produce.ts'
import { runConsumerPerformance, runProducerPerformance } from './performance-tools.ts'
import { cpuSecondsOf } from './process-usage.ts'
import type { Sample } from './samples.ts'
import type { RunningSubject } from './subject.ts'
import { makeTopic } from './topics.ts'

const megabyte = 1024 * 1024
const gigabyte = 1024 * megabyte

/** How much one round moves. */
export interface LoadSize {
  /** By the flood client, each way. */
  readonly floodBytes: number
  /** By Kafka's own tools, each way. */
  readonly records: number
  /** What ProducerPerformance sends before it counts. */
  readonly warmUpRecords: number
}

/** One round on one server: produce and consume, by the flood client and by Kafka's own tools. */
export async function load(server: RunningSubject, size: LoadSize): Promise<Sample[]> {
  return [
    ...(await floodOne(server, size)),
    ...(await floodMany(server, size)),
    ...(await useTools(server, size)),
  ]
}

async function floodOne(server: RunningSubject, { floodBytes }: LoadSize): Promise<Sample[]> {
  await using topic = await makeTopic(server.port, 1)
  return [
    ...(await metered(server, 'flood produce, 1 partition', () =>
      timed(() => floodProduce(server.port, topic, floodBytes)),
    )),
    ...(await metered(server, 'flood fetch, 1 partition', () =>
      timed(() => floodFetch(server.port, topic)),
    )),
  ]
}

async function floodMany(server: RunningSubject, { floodBytes }: LoadSize): Promise<Sample[]> {
  await using topic = await makeTopic(server.port, 6)
  return await metered(server, 'flood produce, 6 partitions', () =>
    timed(() => floodProduce(server.port, topic, floodBytes)),
  )
}

/** The tools say how fast they were themselves: without the start of their JVM. */
async function useTools(
  server: RunningSubject,
  { records, warmUpRecords }: LoadSize,
): Promise<Sample[]> {
  await using topic = await makeTopic(server.port, 1)
  const all = records + warmUpRecords
  const bytes = all * recordBytes
  return [
    ...(await metered(server, 'ProducerPerformance', async () => {
      const counts = { measured: records, warmUp: warmUpRecords }
      return { bytes, speed: await runProducerPerformance(server.port, topic, counts) }
    })),
    ...(await metered(server, 'ConsumerPerformance', async () => {
      return { bytes, speed: await runConsumerPerformance(server.port, topic, all) }
    })),
  ]
}

interface Moved {
  /** Of values, without keys, headers and what the protocol adds. */
  readonly bytes: number
  /** In megabytes a second. */
  readonly speed: number
}

async function timed(work: () => Promise<number>): Promise<Moved> {
  const startedAtMs = performance.now()
  const bytes = await work()
  const seconds = (performance.now() - startedAtMs) / 1000
  return { bytes, speed: bytes / megabyte / seconds }
}

/** How fast it went, and what CPU time the server took for each gigabyte. */
async function metered(
  { processId }: RunningSubject,
  measure: string,
  work: () => Promise<Moved>,
): Promise<Sample[]> {
  const cpuSecondsBefore = cpuSecondsOf(processId)
  const { bytes, speed } = await work()
  const cpuSeconds = cpuSecondsOf(processId) - cpuSecondsBefore
  const cpu = `${measure}: CPU of the server`
  return [
    { measure, unit: 'MB/s', better: 'more', figure: speed },
    { measure: cpu, unit: 's/GB', better: 'less', figure: cpuSeconds / (bytes / gigabyte) },
  ]
}
