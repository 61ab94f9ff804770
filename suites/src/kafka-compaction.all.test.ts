// What compaction leaves of a partition, as Kafka's own tools and librdkafka read it.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { globSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Broker, type BrokerOptions, startBroker } from '@millrace/broker'
import { runChecked, runKafkaTool, serverVariable } from './servers/servers.ts'

const timeout = 120_000
const keys = 50
const rounds = 80
const deleted = 'k7'

/** Time is as it is; what waits for long is done soon. */
const hurried: BrokerOptions['clock'] = {
  nowMs: Date.now,
  after(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(delayMs, 100))
    return { cancel: () => clearTimeout(timer) }
  },
}

function kcat(broker: Broker, args: readonly string[], input = ''): Promise<string> {
  const flags = ['-b', broker.bootstrap, '-t', 'prices', ...args]
  return runChecked('kcat', flags, { input, timeoutMs: timeout })
}

async function java(...args: readonly [string, ...string[]]): Promise<string> {
  const result = await runKafkaTool(serverVariable('MILLRACE_KAFKA_LIBS'), args)
  assert.equal(result.exitCode, 0, `${args[0]}: ${result.stderr}${result.stdout}`)
  return result.stdout
}

/** Says each key in each round; half-way one of them is taken away. */
async function sayPrices(broker: Broker, codec: string): Promise<void> {
  const topic = ['--bootstrap-server', broker.bootstrap, '--topic', 'prices', '--partitions', '1']
  const values = [
    'cleanup.policy=compact',
    'segment.bytes=1048576',
    'min.cleanable.dirty.ratio=0.01',
  ]
  const configs = values.flatMap((value) => ['--config', value])
  await java('org.apache.kafka.tools.TopicCommand', '--create', ...topic, ...configs)
  const lines = Array.from({ length: keys * rounds }, (_, index) => {
    const [key, round] = [`k${index % keys}`, Math.floor(index / keys)]
    if (key !== deleted || round < rounds / 2) return [`${key}:${round} ${noise()}`]
    // With -Z an empty value is none.
    return round === rounds / 2 ? [`${key}:`] : []
  }).flat()
  const small = ['-X', 'batch.num.messages=20']
  await kcat(broker, ['-P', '-K', ':', '-Z', '-z', codec, ...small], `${lines.join('\n')}\n`)
}

/** What no codec makes much smaller, so that there are segments to be closed. */
function noise(): string {
  return randomBytes(1_000).toString('base64url')
}

function logBytes(directory: string): number {
  const files = globSync(join(directory, 'prices-0', '*.log'))
  return files.reduce((sum, file) => sum + statSync(file).size, 0)
}

describe('a compacted partition', { timeout }, () => {
  for (const codec of ['none', 'gzip', 'zstd']) {
    test(`of ${codec} batches is read by DumpLogSegments, the Java consumer and kcat`, async () => {
      const directory = await mkdtemp(join(tmpdir(), 'millrace-compacted-'))
      await using stack = new AsyncDisposableStack()
      stack.defer(() => rm(directory, { recursive: true }))
      {
        await using broker = await startBroker({ storage: { directory }, clock: hurried })
        await sayPrices(broker, codec)
        const before = logBytes(directory)
        while (logBytes(directory) > before / 2) {
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
      const files = globSync(join(directory, 'prices-0', '*.{log,index,timeindex}'))
      const dump = ['--files', files.join(), '--print-data-log', '--deep-iteration']
      const dumped = await java('org.apache.kafka.tools.DumpLogSegments', ...dump)
      assert.doesNotMatch(dumped, /isvalid: false|mismatch|Found|Exception/i)
      assert.match(dumped, /deleteHorizonMs: OptionalLong\[\d+\]/)

      await using broker = await startBroker({ storage: { directory } })
      const heard = await kcat(broker, ['-C', '-e', '-q', '-o', 'beginning', '-f', '%k=%s\n'])
      const records = heard.trim().split('\n')
      assert.ok(records.length < (keys * rounds) / 2, `${records.length} are left`)
      const last = new Map<string, string>()
      for (const record of records) {
        const [key = '', value = ''] = record.split('=')
        last.set(key, value.split(' ')[0] ?? '')
      }
      for (let key = 0; key < keys; key += 1) {
        const expected = `k${key}` === deleted ? '' : String(rounds - 1)
        assert.equal(last.get(`k${key}`), expected, `k${key}`)
      }
      const read = ['--bootstrap-server', broker.bootstrap, '--topic', 'prices', '--from-beginning']
      const consumed = await java(
        'org.apache.kafka.tools.consumer.ConsoleConsumer',
        ...read,
        '--max-messages',
        String(records.length),
      )
      assert.equal(consumed.trim().split('\n').length, records.length)
    })
  }
})
