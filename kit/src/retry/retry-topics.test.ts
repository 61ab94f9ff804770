import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerFixture, type Handle, writeDown } from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'
import type { HandlerOptions } from '../handler.ts'
import { commitEveryMs } from '../limits.ts'
import { readRetry, retryHeaderNames, retryTopicOf } from './retry-topics.ts'

const topics = [5_000, 60_000]
const stepped: HandlerOptions = { retry: { topics }, onExhausted: 'skip' }
const first = 'task.updated.worker.retry-5s'
const second = 'task.updated.worker.retry-1m'

const names: readonly [number, string][] = [
  [250, 'orders.billing.retry-250ms'],
  [1_500, 'orders.billing.retry-1500ms'],
  [5_000, 'orders.billing.retry-5s'],
  [90_000, 'orders.billing.retry-90s'],
  [60_000, 'orders.billing.retry-1m'],
  [7_200_000, 'orders.billing.retry-2h'],
]
for (const [delayMs, name] of names) {
  test(`a delay of ${delayMs} ms is the topic ${name}`, () => {
    assert.equal(retryTopicOf('orders', 'billing', delayMs), name)
  })
}

/** Fails for one task as often as it is told, and says when it ran. */
function failing(task: string, times: number) {
  const runs: string[] = []
  const handle: Handle = async (event, context) => {
    if (event.taskId === task) {
      runs.push(`${event.payload.step} ${context.attempt}`)
      if (runs.length <= times) throw new Error('not possible')
    }
    await writeDown(event, context)
  }
  return { handle, runs }
}

test('what fails is handled again after each delay, never before, and others overtake it', async () => {
  const { handle, runs } = failing('a', 2)
  await using it = await consumerFixture({ handle, handlerOptions: stepped })
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.send('task.updated', 'a', '2')
  await it.send('task.updated', 'b', '1')
  await settle()
  assert.deepEqual(runs, ['1 1', '2 1'])
  assert.deepEqual(await it.untilDone(1), ['b 1'])
  await it.clock.advance(4_999)
  await settle()
  assert.equal(runs.length, 2)
  await it.clock.advance(1)
  await settle()
  assert.deepEqual(runs.slice(2), ['1 2', '2 2'])
  assert.deepEqual(await it.untilDone(3), ['b 1', 'a 1', 'a 2'])
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
})

test('it holds back no offset, and its record says where it comes from and why', async () => {
  const { handle } = failing('a', 9)
  await using it = await consumerFixture({ handle, handlerOptions: stepped })
  const eventId = await it.send('task.updated', 'a', '1')
  await settle()
  await it.clock.advance(commitEveryMs)
  assert.deepEqual(await it.committed('task.updated'), [null, 1n])
  const sentMs = it.clock.nowMs() - commitEveryMs
  const [record] = await it.producer.readFrom({ topic: first, partition: 1 }, 0n, 10)
  assert.ok(record !== undefined)
  const text = (name: string) => {
    const header = record.headers.find((one) => one.name === name)
    return header === undefined ? null : Buffer.from(header.value).toString()
  }
  const said = Object.values(retryHeaderNames).map(text)
  const dueAtMs = String(sentMs + 5_000)
  assert.deepEqual(said, ['task.updated', '1', '0', 'worker', '1', 'not possible', dueAtMs])
  assert.equal(text('id'), eventId)
})

test('after the last topic it is put aside, and a redrive handles it', async () => {
  const { handle, runs } = failing('a', 3)
  await using it = await consumerFixture({ handle, handlerOptions: stepped })
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.clock.advance(5_000)
  await settle()
  await it.clock.advance(60_000)
  await settle()
  const [letter] = await it.consumer.deadLetters.list()
  assert.deepEqual([letter?.state, letter?.attempts], ['skipped', 3])
  const [record] = await it.producer.readFrom({ topic: second, partition: 1 }, 0n, 10)
  assert.equal(readRetry(record?.headers ?? [])?.attempts, 2)
  await it.consumer.deadLetters.redrive({})
  assert.deepEqual(await it.untilDone(1), ['a 1'])
  assert.equal(runs.length, 4)
})

test('a crash while it waits loses nothing, and what is on both topics is done once', async () => {
  const { handle } = failing('a', 9)
  const before = await consumerFixture({ handle, handlerOptions: stepped })
  await before.send('task.updated', 'a', '1')
  await settle()
  // The offset of the original is not committed yet: it comes again.
  await before.crash()
  await using it = await consumerFixture({ earlier: before, handlerOptions: stepped })
  assert.deepEqual(await it.untilDone(1), ['a 1'])
  await it.clock.advance(5_000)
  await settle()
  await it.clock.advance(commitEveryMs)
  assert.deepEqual(await it.done(), ['a 1'])
  const [, lag] = await it.producer.lag('worker', [first])
  assert.equal(lag?.lag, 0n, 'the copy was read and known')
})

test('a Kafka that is away keeps it: nothing is counted or lost meanwhile', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const { handle, runs } = failing('a', 1)
  await using it = await consumerFixture({
    handlerOptions: stepped,
    handle: async (event, context) => {
      await gate
      await handle(event, context)
    },
  })
  await it.send('task.updated', 'a', '1')
  await settle()
  it.cluster.stop()
  open()
  await settle()
  assert.equal(runs.length, 1)
  it.cluster.start()
  for (let second = 0; second < 20; second += 1) await it.clock.advance(1_000)
  assert.deepEqual(await it.untilDone(1), ['a 1'])
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
})

const wrong: readonly [string, HandlerOptions][] = [
  [
    "retry.topics lets events of a key overtake each other: say onExhausted: 'skip'",
    { retry: { topics } },
  ],
  ['retry.topics has a delay twice', { retry: { topics: [1, 1] }, onExhausted: 'skip' }],
  [
    'a delay of retry.topics is 0, and must be 1 to 2147483647',
    { retry: { topics: [0] }, onExhausted: 'skip' },
  ],
]
for (const [issue, handlerOptions] of wrong) {
  test(`a definition is refused where ${issue}`, async () => {
    await assert.rejects(consumerFixture({ handlerOptions }), {
      code: 'definition-invalid',
      message: `service "worker" on "task.updated": ${issue}`,
    })
  })
}
