import { bringKafka4, runKafkaTool } from '@millrace/suites/servers'
import { recordBytes } from './batches.ts'
import type { BenchTopic } from './topics.ts'

const timeoutMs = 600_000

/** Megabytes a second as Kafka's ProducerPerformance says them, at acks=all, after its warm-up. */
export async function runProducerPerformance(
  port: number,
  topic: BenchTopic,
  records: { readonly measured: number; readonly warmUp: number },
): Promise<number> {
  const output = await runTool('org.apache.kafka.tools.ProducerPerformance', {
    'bootstrap-server': `127.0.0.1:${port}`,
    topic: topic.name,
    throughput: -1,
    'num-records': records.measured + records.warmUp,
    'warmup-records': records.warmUp,
    'record-size': recordBytes,
    'command-property': 'acks=all',
  })
  // The last line sums up: "1200000 records sent, 98231.7 records/sec (95.93 MB/sec), …".
  const summary = output.trim().split('\n').at(-1) ?? ''
  const megabytes = /\(([\d.]+) MB\/sec\)/.exec(summary)?.[1]
  if (megabytes === undefined) throw new Error(`ProducerPerformance said:\n${output}`)
  return Number(megabytes)
}

/** Megabytes a second as Kafka's ConsumerPerformance says them, without the time of its join. */
export async function runConsumerPerformance(
  port: number,
  topic: BenchTopic,
  records: number,
): Promise<number> {
  const output = await runTool('org.apache.kafka.tools.ConsumerPerformance', {
    'bootstrap-server': `127.0.0.1:${port}`,
    topic: topic.name,
    'num-records': records,
  })
  // start.time, end.time, data.consumed.in.MB, MB.sec, nMsg, nMsg.sec, rebalance.time.ms,
  // fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
  const line = output.trim().split('\n').at(-1) ?? ''
  const [, , , , read, , , , fetched] = line.split(', ')
  if (!(Number(read) >= records)) {
    throw new Error(`ConsumerPerformance did not read everything:\n${output}`)
  }
  return Number(fetched)
}

async function runTool(
  tool: string,
  options: Readonly<Record<string, string | number>>,
): Promise<string> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const libs = await bringKafka4()
  const { exitCode, stdout, stderr } = await runKafkaTool(libs, [tool, ...args], { timeoutMs })
  if (exitCode !== 0) throw new Error(`${tool} ended with code ${exitCode}:\n${stderr}${stdout}`)
  return stdout
}
