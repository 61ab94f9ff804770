// kcat, and with it librdkafka, against the embedded broker: what somebody types into a terminal.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Broker, startBroker } from '@millrace/broker'
import { runChecked, runCommand } from './servers/servers.ts'

const timeout = 60_000
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`)

function kcat(broker: Broker, args: readonly string[], input = ''): Promise<string> {
  return runChecked('kcat', ['-b', broker.bootstrap, ...args], { input, timeoutMs: timeout })
}

/** Everything on a topic, in any order of its partitions. */
async function consume(broker: Broker, topic: string): Promise<readonly string[]> {
  const text = await kcat(broker, ['-C', '-e', '-q', '-t', topic, '-o', 'beginning'])
  return text.split('\n').slice(0, -1).toSorted()
}

describe('kcat', { timeout, concurrency: 2 }, () => {
  test('-L names the broker, and a topic that is made by asking for it', async () => {
    await using broker = await startBroker({ numPartitions: 3 })
    await kcat(broker, ['-P', '-t', 'orders'], 'a\n')
    const listed = await kcat(broker, ['-L'])
    assert.match(listed, new RegExp(`broker 1 at ${broker.bootstrap}`))
    assert.match(listed, /topic "orders" with 3 partitions/)
  })

  for (const codec of codecs) {
    test(`-P and -C carry what was compressed with ${codec}`, async () => {
      await using broker = await startBroker({ numPartitions: 3 })
      const flags = ['-P', '-t', 'orders', '-z', codec]
      await kcat(broker, flags, `${lines.join('\n')}\n`)
      assert.deepEqual(await consume(broker, 'orders'), lines.toSorted())
    })
  }

  for (const acks of ['0', '1', 'all']) {
    test(`-P with acks=${acks} loses nothing`, async () => {
      await using broker = await startBroker()
      const flags = ['-P', '-t', 'orders', '-X', `acks=${acks}`]
      await kcat(broker, flags, `${lines.join('\n')}\n`)
      assert.deepEqual(await consume(broker, 'orders'), lines.toSorted())
    })
  }

  test('-P with an idempotent producer keeps keys, headers and order', async () => {
    await using broker = await startBroker()
    const flags = ['-P', '-t', 'orders', '-K', ':', '-H', 'source=test']
    await kcat(broker, [...flags, '-X', 'enable.idempotence=true'], 'k:a\nk:b\nk:c\n')
    const format = ['-C', '-e', '-q', '-t', 'orders', '-f', '%o %k %s %h\n']
    const consumed = await kcat(broker, format)
    assert.equal(consumed, '0 k a source=test\n1 k b source=test\n2 k c source=test\n')
  })

  test('-G joins a group, and goes on where the group had stopped', async () => {
    await using broker = await startBroker({ numPartitions: 2 })
    await kcat(broker, ['-P', '-t', 'orders'], `${lines.join('\n')}\n`)
    const group = ['-G', 'group', '-e', '-q', '-X', 'auto.offset.reset=earliest', 'orders']
    const first = await kcat(broker, group)
    assert.deepEqual(first.split('\n').slice(0, -1).toSorted(), lines.toSorted())
    await kcat(broker, ['-P', '-t', 'orders'], 'one more\n')
    assert.equal(await kcat(broker, group), 'one more\n')
  })

  for (const strategy of ['range', 'roundrobin', 'cooperative-sticky']) {
    test(`-G reads everything with the assignor ${strategy}`, async () => {
      await using broker = await startBroker({ numPartitions: 2 })
      await kcat(broker, ['-P', '-t', 'orders'], `${lines.join('\n')}\n`)
      const flags = ['-X', 'auto.offset.reset=earliest']
      const assignor = ['-X', `partition.assignment.strategy=${strategy}`]
      const read = await kcat(broker, ['-G', 'group', '-e', '-q', ...flags, ...assignor, 'orders'])
      assert.deepEqual(read.split('\n').slice(0, -1).toSorted(), lines.toSorted())
    })
  }

  test('-Q finds offsets by time, and the ends of a partition', async () => {
    await using broker = await startBroker()
    await kcat(broker, ['-P', '-t', 'orders'], 'a\nb\n')
    const tomorrow = Date.now() + 86_400_000
    const wanted = { '-1': 2, '-2': 0, 0: 0, [tomorrow]: -1 }
    for (const [time, offset] of Object.entries(wanted)) {
      const answer = await kcat(broker, ['-Q', '-t', `orders:0:${time}`])
      assert.equal(answer, `orders [0] offset ${offset}\n`, `asked for time ${time}`)
    }
  })

  test('a transactional producer is told at once that there are no transactions', async () => {
    await using broker = await startBroker()
    const args = ['-b', broker.bootstrap, '-P', '-t', 'orders', '-X', 'transactional.id=mine']
    const { exitCode, stderr } = await runCommand('kcat', args, { timeoutMs: timeout })
    assert.equal(exitCode, 1)
    assert.match(stderr, /this broker keeps no transactions/)
  })
})
