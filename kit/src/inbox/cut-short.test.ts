// P6: what runs when nobody waits for it any more leaves nothing behind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerFixture, type Handle, writeDown } from '../../test/consumer-fixture.ts'
import { joinGroup } from '../../test/other-member.ts'
import { settle } from '../../test/turns.ts'
import { drainMsMax, handlerTimeoutMsDefault } from '../limits.ts'
import { type Log, silentLog } from '../log.ts'
import { overdueToldMs, revokeDrainMsMax } from './limits.ts'

/** Writes at once, and goes on until it is let go, whatever its signal says. */
function stubborn() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const reasons: unknown[] = []
  const handle: Handle = async (event, context) => {
    context.signal.addEventListener('abort', () => reasons.push(context.signal.reason))
    await promise
    await writeDown(event, context)
  }
  return { handle, letGo: resolve, reasons }
}

test('what still runs when its partition has to go is aborted, and commits nothing', async () => {
  const { handle, letGo, reasons } = stubborn()
  await using it = await consumerFixture({ handle })
  await it.send('task.updated', 'a', '1')
  await it.send('task.updated', 'bb', '1')
  await settle()
  const other = joinGroup(it)
  await settle()
  await it.clock.advance(revokeDrainMsMax - 1)
  assert.deepEqual(reasons, [])
  await it.clock.advance(1)
  await settle()
  const cut = reasons.length
  assert.ok(cut > 0, 'its signal has fired')
  letGo()
  await settle()
  assert.equal((await it.done()).length, 2 - cut)
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
  await other.stop()
})

test('what still runs at the end of a stop is aborted, and comes again after it', async () => {
  const { handle, letGo, reasons } = stubborn()
  const first = await consumerFixture({ handle })
  await first.send('task.updated', 'a', '1')
  await settle()
  const stopped = first.consumer.stop()
  await first.clock.advance(drainMsMax)
  await stopped
  assert.equal(reasons.length, 1)
  letGo()
  await settle()
  assert.deepEqual(await first.done(), [])
  await first.crash()
  await using it = await consumerFixture({ earlier: first })
  assert.deepEqual(await it.untilDone(1), ['a 1'])
})

test('a handler that does not heed its signal is told in the log and in health', async () => {
  const { handle, letGo } = stubborn()
  const lines: string[] = []
  const log: Log = { ...silentLog, error: (_fields, message) => void lines.push(message) }
  await using it = await consumerFixture({
    log,
    handle,
    handlerOptions: { retry: { attemptsMax: 1 } },
  })
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.clock.advance(handlerTimeoutMsDefault)
  await settle()
  const sinceMs = it.clock.nowMs()
  assert.deepEqual(it.consumer.status().overdue, [{ subscription: 'task.updated', sinceMs }])
  await it.clock.advance(overdueToldMs)
  assert.deepEqual(lines, ['a handler of task.updated has not come back for 10 s'])
  letGo()
  await settle()
  assert.deepEqual(it.consumer.status().overdue, [])
  assert.deepEqual(await it.done(), [], 'its transaction was over')
})

test('a handler that comes back too late, without a transaction, leaves its place but once', async () => {
  const gates: (() => void)[] = []
  let isOver = false
  const handle: Handle = () => new Promise((resolve) => (isOver ? resolve() : gates.push(resolve)))
  const handlerOptions = { concurrency: 1, retry: { attemptsMax: 1 } }
  await using it = await consumerFixture({ handle, handlerOptions })
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.clock.advance(handlerTimeoutMsDefault)
  await settle()
  gates[0]?.()
  await settle()
  assert.deepEqual(it.consumer.status().overdue, [], 'it has come back')
  for (const task of ['b', 'c', 'd']) await it.send('task.updated', task, '1')
  await settle()
  const running = gates.length - 1
  isOver = true
  for (const finish of gates) finish()
  assert.equal(running, 1, 'one runs at a time')
})

test('a handler that heeds its signal is told nowhere', async () => {
  const lines: string[] = []
  const log: Log = { ...silentLog, error: (_fields, message) => void lines.push(message) }
  await using it = await consumerFixture({
    log,
    handlerOptions: { retry: { attemptsMax: 1 } },
    handle: (_event, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  })
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.clock.advance(handlerTimeoutMsDefault)
  await settle()
  await it.clock.advance(overdueToldMs)
  assert.deepEqual(lines, [])
  assert.deepEqual(it.consumer.status().overdue, [])
})
