// Kafka's own command line tools, and with them its Java clients, against the embedded broker.

import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Broker, type BrokerOptions, startBroker } from '@millrace/broker'
import { runKafkaTool, serverVariable } from './servers/servers.ts'

const timeout = 240_000
const tools = 'org.apache.kafka.tools'

/** Runs a tool against the broker; it must succeed. */
async function run(
  broker: Broker,
  [tool, ...args]: readonly [string, ...string[]],
  input = '',
): Promise<string> {
  const server = ['--bootstrap-server', broker.bootstrap]
  const result = await runKafkaTool(
    serverVariable('MILLRACE_KAFKA_LIBS'),
    [tool, ...server, ...args],
    {
      input,
    },
  )
  assert.equal(result.exitCode, 0, `${tool}: ${result.stderr}${result.stdout}`)
  return result.stdout
}

/** A broker with a data directory of its own, in a folder that has room for more. */
async function stage(options: BrokerOptions = {}) {
  const stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-tools-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const directory = join(folder, 'data')
  const broker = stack.use(await startBroker({ ...options, storage: { directory } }))
  return { broker, folder, directory, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`)

describe("Kafka's own tools", { timeout }, () => {
  test('TopicCommand makes, describes, grows and deletes a topic', async () => {
    await using at = await stage()
    const topics = (...args: readonly string[]) =>
      run(at.broker, [`${tools}.TopicCommand`, ...args])
    const config = ['--config', 'retention.ms=1000000']
    await topics('--create', '--topic', 'orders', '--partitions', '2', ...config)
    await topics('--alter', '--topic', 'orders', '--partitions', '3')
    const described = await topics('--describe', '--topic', 'orders')
    assert.match(
      described,
      /PartitionCount: 3\s+ReplicationFactor: 1\s+Configs: retention.ms=1000000/,
    )
    assert.match(described, /Partition: 2\s+Leader: 1\s+Replicas: 1\s+Isr: 1/)
    await topics('--delete', '--topic', 'orders')
    assert.equal((await topics('--list')).trim(), '')
  })

  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    test(`ConsoleProducer and ConsoleConsumer carry lines with ${codec}`, async () => {
      await using at = await stage()
      const produce = ['--topic', 'orders', '--compression-codec', codec]
      await run(at.broker, [`${tools}.ConsoleProducer`, ...produce], `${lines.join('\n')}\n`)
      const read = ['--topic', 'orders', '--from-beginning', '--max-messages', `${lines.length}`]
      const consumed = await run(at.broker, [`${tools}.consumer.ConsoleConsumer`, ...read])
      assert.deepEqual(consumed.trim().split('\n'), lines)
    })
  }

  test('ConsumerGroupCommand sees a group, resets its offsets and deletes it', async () => {
    await using at = await stage()
    await run(at.broker, [`${tools}.ConsoleProducer`, '--topic', 'orders'], `${lines.join('\n')}\n`)
    const read = ['--topic', 'orders', '--from-beginning', '--max-messages', `${lines.length}`]
    await run(at.broker, [`${tools}.consumer.ConsoleConsumer`, ...read, '--group', 'group'])
    const groups = (...args: readonly string[]) =>
      run(at.broker, [`${tools}.consumer.group.ConsumerGroupCommand`, ...args])
    const described = await groups('--describe', '--group', 'group')
    assert.match(described, /group\s+orders\s+0\s+20\s+20\s+0/)
    assert.match(await groups('--list', '--state'), /group\s+Empty/)
    const reset = ['--reset-offsets', '--to-earliest', '--execute', '--topic', 'orders']
    await groups('--group', 'group', ...reset)
    assert.match(await groups('--describe', '--group', 'group'), /group\s+orders\s+0\s+0\s+20\s+20/)
    await groups('--delete', '--group', 'group')
    assert.equal((await groups('--list')).trim(), '')
  })

  test('ConfigCommand shows every config with its source, and changes some', async () => {
    await using at = await stage()
    await run(at.broker, [`${tools}.TopicCommand`, '--create', '--topic', 'orders'])
    const configs = (...args: readonly string[]) =>
      run(at.broker, ['kafka.admin.ConfigCommand', '--topic', 'orders', ...args])
    assert.match(
      await configs('--describe', '--all'),
      /segment\.bytes=1073741824 sensitive=false synonyms=\{DEFAULT_CONFIG:log\.segment\.bytes=/,
    )
    await configs('--alter', '--add-config', 'retention.ms=5000,cleanup.policy=[compact,delete]')
    const changed = await configs('--describe')
    assert.match(changed, /retention\.ms=5000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG/)
    assert.match(changed, /cleanup\.policy=compact,delete/)
    await configs('--alter', '--delete-config', 'retention.ms')
    assert.doesNotMatch(await configs('--describe'), /retention\.ms/)
  })

  test('DeleteRecordsCommand moves the start of a partition', async () => {
    await using at = await stage()
    await run(at.broker, [`${tools}.ConsoleProducer`, '--topic', 'orders'], `${lines.join('\n')}\n`)
    const wish = { version: 1, partitions: [{ topic: 'orders', partition: 0, offset: 15 }] }
    const file = join(at.folder, 'wish.json')
    await writeFile(file, JSON.stringify(wish))
    const flags = ['--offset-json-file', file]
    const deleted = await run(at.broker, [`${tools}.DeleteRecordsCommand`, ...flags])
    assert.match(deleted, /orders-0\s+low_watermark: 15/)
  })

  test('BrokerApiVersionsCommand finds a usable version of every API that is served', async () => {
    await using at = await stage()
    const listed = await run(at.broker, [`${tools}.BrokerApiVersionsCommand`])
    for (const api of ['Produce(0): 0 to 11 [usable: 11]', 'Fetch(1): 4 to 17 [usable: 17]']) {
      assert.ok(listed.includes(api), listed)
    }
  })

  test('ProducerPerformance and ConsumerPerformance carry 50,000 records each way', async () => {
    await using at = await stage({ numPartitions: 2 })
    const libs = serverVariable('MILLRACE_KAFKA_LIBS')
    const size = ['--num-records', '50000', '--record-size', '512', '--throughput', '-1']
    const properties = ['--producer-props', `bootstrap.servers=${at.broker.bootstrap}`, 'acks=all']
    const flags = [...size, ...properties]
    const produced = await runKafkaTool(libs, [
      `${tools}.ProducerPerformance`,
      '--topic',
      'orders',
      ...flags,
    ])
    assert.match(produced.stdout, /50000 records sent/)
    const count = ['--topic', 'orders', '--messages', '50000']
    const consumed = await run(at.broker, [`${tools}.ConsumerPerformance`, ...count])
    assert.match(consumed, /, 50000, /)
  })

  test('DumpLogSegments reads the files that the broker writes', async () => {
    await using at = await stage()
    await run(at.broker, [`${tools}.ConsoleProducer`, '--topic', 'orders'], `${lines.join('\n')}\n`)
    const files = globSync(join(at.directory, 'orders-0', '*.{log,index,timeindex}'))
    const dump = ['--files', files.join(), '--print-data-log', '--deep-iteration']
    const libs = serverVariable('MILLRACE_KAFKA_LIBS')
    const { exitCode, stdout, stderr } = await runKafkaTool(libs, [
      `${tools}.DumpLogSegments`,
      ...dump,
    ])
    assert.equal(exitCode, 0, stderr)
    for (const line of lines) assert.ok(stdout.includes(`payload: ${line}`), stdout)
    assert.match(stdout, /isvalid: true/)
    assert.doesNotMatch(stdout, /isvalid: false|mismatch|Found|Exception/i)
  })
})
