import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerFixture, type Handle, writeDown } from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'
import type { HandlerOptions } from '../handler.ts'
import { handlersRunningMax } from '../limits.ts'

/** A handler that waits until it is let go, and knows how many of it were at work at once. */
function gated() {
  const { promise, resolve } = Promise.withResolvers<void>()
  let running = 0
  let most = 0
  const handle: Handle = async (event, context) => {
    running += 1
    most = Math.max(most, running)
    await promise
    await writeDown(event, context)
    running -= 1
  }
  return { handle, letGo: resolve, most: () => most }
}

for (const [concurrency, expected] of [
  [1, 1],
  [3, 3],
] as const) {
  test(`concurrency ${concurrency} has ${expected} at work, however many keys are ready`, async () => {
    const { handle, letGo, most } = gated()
    await using it = await consumerFixture({ handle, handlerOptions: { concurrency } })
    for (const task of 'abcdefgh') await it.send('task.updated', task, '1')
    await settle()
    assert.equal(most(), expected)
    letGo()
    assert.equal((await it.untilDone(8)).length, 8)
    assert.equal(most(), expected)
  })
}

test('with concurrency 1 events of different keys are handled in the order of their partition', async () => {
  await using it = await consumerFixture({
    handlerOptions: { concurrency: 1 },
    handle: async (event, context) => {
      if (event.taskId === 'a') await settle()
      await writeDown(event, context)
    },
  })
  for (const task of 'abcde') await it.send('task.updated', task, '1')
  assert.deepEqual(await it.untilDone(5), ['a 1', 'b 1', 'c 1', 'd 1', 'e 1'])
})

test('a subscription whose handlers never come back leaves slots for another', async () => {
  const slow = gated()
  await using it = await consumerFixture({
    listen: (worker) => worker.on('task.updated', slow.handle).on('task.completed', writeDown),
  })
  for (let task = 0; task < 2 * handlersRunningMax; task += 1) {
    await it.send('task.updated', `slow ${task}`, '1')
  }
  await settle()
  assert.ok(slow.most() > handlersRunningMax / 2, 'what is free may be used')
  await it.send('task.completed', 'quick', '1')
  assert.deepEqual(await it.untilDone(1), ['quick 1'])
  slow.letGo()
})

const wrong: readonly [string, HandlerOptions][] = [
  ['concurrency is 0, and must be 1 to 100', { concurrency: 0 }],
  ['concurrency is 101, and must be 1 to 100', { concurrency: 101 }],
  ['timeoutMs is 0.5, and must be 1 to 2147483647', { timeoutMs: 0.5 }],
  ['retry.attemptsMax is 0, and must be 1 to 9007199254740991', { retry: { attemptsMax: 0 } }],
]
for (const [issue, handlerOptions] of wrong) {
  test(`a definition is refused where ${issue}`, async () => {
    await assert.rejects(consumerFixture({ handlerOptions }), {
      code: 'definition-invalid',
      message: `service "worker" on "task.updated": ${issue}`,
    })
  })
}
