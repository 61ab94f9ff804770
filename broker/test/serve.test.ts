// The broker as a process of its own: how it starts, ends, and what survives its death.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { ApiVersions, errors, ListOffsets, OffsetCommit, OffsetFetch } from '@millrace/wire'
import { makeTopic, produce } from './test-broker.ts'
import { WireClient } from './wire-client.ts'

const timeout = 30_000
const script = join(import.meta.dirname, '../src/serve.ts')

/** One life of the process. */
class Served implements AsyncDisposable {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  readonly stderr: Promise<string>

  constructor(args: readonly string[]) {
    const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const
    this.child = spawn(process.execPath, [script, ...args], { stdio: [...stdio] })
    this.ended = once(this.child, 'exit').then(([code]) => code)
    assert.ok(this.child.stderr !== null)
    this.stderr = text(this.child.stderr)
  }

  /** What it tells its parent when it is ready, or cannot be. */
  async message(): Promise<{ kind: string; message?: string; addresses?: { port: number }[] }> {
    const [message] = await once(this.child, 'message')
    return message
  }

  /** A client of its first listener, once it is ready. */
  async client(): Promise<WireClient> {
    const { addresses } = await this.message()
    return WireClient.connect({ host: '127.0.0.1', port: addresses?.[0]?.port ?? 0 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL')
    await this.ended
  }
}

async function withDirectory(act: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-serve-'))
  try {
    await act(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function endOf(wire: WireClient, topic: string): Promise<bigint> {
  const partitions = [{ partitionIndex: 0, timestamp: -1n }]
  const topics = [{ name: topic, partitions }]
  const reply = await wire.ask(ListOffsets, 7, { replicaId: -1, isolationLevel: 0, topics })
  return reply.topics[0]?.partitions[0]?.offset ?? -1n
}

async function commit(wire: WireClient, offset: bigint): Promise<void> {
  const partitions = [{ partitionIndex: 0, committedOffset: offset, committedMetadata: null }]
  const topics = [{ name: 'orders', partitions }]
  const reply = await wire.ask(OffsetCommit, 8, { groupId: 'group', memberId: '', topics })
  assert.equal(reply.topics[0]?.partitions[0]?.errorCode, errors.none.code)
}

async function committed(wire: WireClient): Promise<bigint> {
  const topics = [{ name: 'orders', partitionIndexes: [0] }]
  const reply = await wire.ask(OffsetFetch, 7, { groupId: 'group', topics })
  return reply.topics[0]?.partitions[0]?.committedOffset ?? -1n
}

describe('the process of its own', { timeout, concurrency: 2 }, () => {
  test('what it acknowledged is there after kill -9, again and again', async () => {
    await withDirectory(async (directory) => {
      let acknowledged = 0n
      for (let life = 0; life < 3; life++) {
        await using served = new Served(['--port', '0', '--data', directory])
        await using wire = await served.client()
        if (life === 0) await makeTopic(wire, 'orders')
        else {
          assert.ok((await endOf(wire, 'orders')) >= acknowledged)
          assert.ok((await committed(wire)) >= acknowledged)
        }
        for (let count = 0; count < 30; count++) {
          const offset = await produce(wire, 'orders', `life ${life}`)
          await commit(wire, offset + 1n)
          acknowledged = offset + 1n
        }
        // What is on its way when it dies may be there or not.
        produce(wire, 'orders', 'unheard of').catch(() => {})
      }
    })
  })

  test('SIGTERM closes it in order', async () => {
    await withDirectory(async (directory) => {
      await using served = new Served(['--port', '0', '--data', directory])
      await served.message()
      served.child.kill('SIGTERM')
      assert.equal(await served.ended, 0)
    })
  })

  test('SIGINT is left to its parent', async () => {
    await using served = new Served(['--port', '0'])
    await using wire = await served.client()
    served.child.kill('SIGINT')
    await wire.ask(ApiVersions, 3, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
  })

  test('it ends when its parent is gone', async () => {
    await using served = new Served(['--port', '0'])
    await served.message()
    served.child.disconnect()
    assert.equal(await served.ended, 0)
  })

  test('a port that is in use is one line, to the parent and to the terminal', async () => {
    await using first = new Served(['--port', '0'])
    const { addresses } = await first.message()
    const port = `${addresses?.[0]?.port}`
    await using second = new Served(['--port', port])
    const { kind, message } = await second.message()
    assert.equal(kind, 'failed')
    assert.match(message ?? '', new RegExp(`^port ${port} is in use .*: .* choose another port$`))
    assert.equal(await second.ended, 1)
    assert.equal((await second.stderr).trim(), message)
  })

  test('a data directory that another process has is named, with that process', async () => {
    await withDirectory(async (directory) => {
      await using first = new Served(['--port', '0', '--data', directory])
      await first.message()
      await using second = new Served(['--port', '0', '--data', directory])
      const { kind, message } = await second.message()
      assert.equal(kind, 'failed')
      assert.match(message ?? '', new RegExp(`in use by process ${first.child.pid}`))
      assert.equal(await second.ended, 1)
    })
  })

  test('options that are wrong are told, and nothing is opened', async () => {
    await using served = new Served(['--port', 'many'])
    assert.match((await served.message()).message ?? '', /--port/)
    assert.equal(await served.ended, 1)
  })
})
