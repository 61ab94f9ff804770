// What cannot be handled yet waits on its partition: nothing is thrown away, and memory is bounded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerFixture, type Handle, writeDown } from '../../test/consumer-fixture.ts'
import { joinGroup } from '../../test/other-member.ts'
import { settle } from '../../test/turns.ts'
import { partitionBytesMax, partitionEventsMax } from '../limits.ts'
import type { OutgoingRecord } from '../transport/transport.ts'
import { revokeDrainMsMax } from './limits.ts'

type Fixture = Awaited<ReturnType<typeof consumerFixture>>

/** Waits until it is let go, whatever its event. */
function gated() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const handle: Handle = async (event, context) => {
    await promise
    await writeDown(event, context)
  }
  return { handle, letGo: resolve }
}

function record(task: string, padding = 0): OutgoingRecord {
  const payload = { step: '1', padding: 'x'.repeat(padding) }
  const value = Buffer.from(JSON.stringify({ eventType: 'task.updated', taskId: task, payload }))
  return { key: null, value, headers: [], timestampMs: 0 }
}

async function put({ producer }: Fixture, records: readonly OutgoingRecord[]): Promise<void> {
  await producer.send({ topic: 'task.updated', partition: 0 }, records)
  await settle()
}

test('large events pause their partition long before there are many of them', async () => {
  const { handle, letGo } = gated()
  await using it = await consumerFixture({ handle })
  const megabytes = (from: number) =>
    Array.from({ length: 20 }, (_, index) => record(`t${from + index}`, 1_000_000))
  assert.ok(20 * 1_000_000 > partitionBytesMax)
  await put(it, megabytes(0))
  await put(it, megabytes(20))
  assert.equal(it.consumer.status().events, 20)
  letGo()
  assert.equal((await it.untilDone(40)).length, 40)
})

test('a rebalance does not resume a partition that is paused', async () => {
  const { handle, letGo } = gated()
  await using it = await consumerFixture({ handle })
  const many = Array.from({ length: partitionEventsMax }, (_, index) => record(`t${index}`))
  for (const partition of [0, 1]) {
    await it.producer.send({ topic: 'task.updated', partition }, many)
  }
  await settle()
  const other = joinGroup(it)
  await settle()
  await it.clock.advance(revokeDrainMsMax)
  await settle()
  const kept = it.consumer.status()
  const own = kept.partitions.filter(({ topic }) => topic === 'task.updated')
  assert.equal(own.length, 1, 'one partition has moved, one is kept')
  for (const partition of [0, 1]) {
    await it.producer.send({ topic: 'task.updated', partition }, many.slice(0, 10))
  }
  await settle()
  assert.equal(it.consumer.status().events, kept.events)
  letGo()
  await it.untilDone(partitionEventsMax)
  await other.stop()
})
