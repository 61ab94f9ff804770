import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerFixture, writeDown } from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'
import { Outage } from '../errors.ts'
import { type Log, silentLog } from '../log.ts'

const quick = { retry: { attemptsMax: 3, delayMsMin: 100, delayMsMax: 100 } }

test('an outage that nobody declares may last: what waits is excused until it is over', async () => {
  let isDown = true
  await using it = await consumerFixture({
    handlerOptions: quick,
    handle: async (event, context) => {
      if (isDown) throw new Error('no connection')
      await writeDown(event, context)
    },
  })
  const tasks = ['a1', 'b2', 'c3', 'd4', 'e5']
  for (const task of tasks) await it.send('task.updated', task, '1')
  await settle()
  await it.clock.advance(3 * 3_600_000)
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
  isDown = false
  await it.clock.advance(60_000)
  assert.equal((await it.untilDone(tasks.length)).length, tasks.length)
})

test('the log says once that an outage is over, and how long it was', async () => {
  let isDown = true
  const lines: [object, string][] = []
  const log: Log = { ...silentLog, warn: (fields, message) => void lines.push([fields, message]) }
  await using it = await consumerFixture({
    log,
    handle: async (event, context) => {
      if (isDown) throw new Outage('no connection')
      await writeDown(event, context)
    },
  })
  for (const task of ['a', 'b', 'c']) await it.send('task.updated', task, '1')
  await settle()
  const wentDownMs = it.clock.nowMs()
  await it.clock.advance(60_000)
  assert.equal(lines.length, 0)
  isDown = false
  await it.clock.advance(60_000)
  await it.untilDone(3)
  assert.deepEqual(
    lines.map(([, message]) => message),
    ['the outage is over: the subscription goes on'],
  )
  const [[fields] = [{}]] = lines
  assert('outageMs' in fields && typeof fields.outageMs === 'number')
  assert(fields.outageMs >= 60_000 && fields.outageMs <= it.clock.nowMs() - wentDownMs)
})

test('a handler that fails for the last time says where its event is', async () => {
  const messages: string[] = []
  const log: Log = { ...silentLog, warn: (_fields, message) => void messages.push(message) }
  await using it = await consumerFixture({
    log,
    handlerOptions: { retry: { attemptsMax: 2, delayMsMin: 100, delayMsMax: 100 } },
    handle: async () => {
      throw new Error('not possible')
    },
  })
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.clock.advance(100)
  await settle()
  assert.deepEqual(messages, [
    'a handler failed',
    'a handler failed for the last time; "millrace dead-letters" has the event',
  ])
})

test('keys that go on failing while others succeed are no outage, and are parked', async () => {
  const bad = new Set(['a1', 'b2', 'c3', 'd4', 'e5', 'f6'])
  await using it = await consumerFixture({
    handlerOptions: quick,
    handle: async (event, context) => {
      if (bad.has(event.taskId)) throw new Error('not possible')
      await writeDown(event, context)
    },
  })
  for (const task of bad) await it.send('task.updated', task, '1')
  let good = 0
  const letters = () => it.consumer.deadLetters.list()
  while ((await letters()).length < bad.size && good < 200) {
    good += 1
    await it.send('task.updated', `good ${good}`, '1')
    await it.clock.advance(5_000)
  }
  assert.deepEqual(new Set((await letters()).map(({ key }) => key)), bad)
  assert.equal((await it.untilDone(good)).length, good)
})

test('a handler that needs no order is not held back by a key of its stream', async () => {
  await using it = await consumerFixture({
    handlerOptions: { retry: { attemptsMax: 1 } },
    completedOptions: { retry: { attemptsMax: 1 }, onExhausted: 'skip' },
    handle: async (event, context) => {
      if (event.eventType === 'task.updated') throw new Error('not possible')
      await writeDown(event, context)
    },
  })
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.send('task.completed', 'a', '2')
  assert.deepEqual(await it.untilDone(1), ['a 2'])
  const letters = await it.consumer.deadLetters.list()
  assert.deepEqual(
    letters.map(({ state }) => state),
    ['parked'],
  )
})

test('what a handler publishes and does not await is said', async () => {
  await using it = await consumerFixture({
    handlerOptions: { retry: { attemptsMax: 1 } },
    handle: async (event, context) => {
      await writeDown(event, context)
      if (event.eventType === 'task.completed') return
      void context.publish('ping', { payload: { step: 'slow' } })
    },
  })
  await it.send('task.updated', 'a', '1')
  await it.untilDone(1)
  await settle()
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
  const records = await Promise.all(
    [0, 1].map((partition) => it.producer.readFrom({ topic: 'ping', partition }, 0n, 10)),
  )
  assert.equal(records.flat().length, 1)
})

test('a letter that is handled at its very time limit leaves its key free', async () => {
  let isBroken = true
  await using it = await consumerFixture({
    handlerOptions: { retry: { attemptsMax: 1 }, timeoutMs: 1 },
    handle: async (event, context) => {
      if (isBroken) throw new Error('not possible')
      await writeDown(event, context)
      await settle()
      // The time is over between the handler's end and its commit.
      void it.clock.advance(1)
    },
  })
  await it.send('task.updated', 'a', '1')
  await settle()
  isBroken = false
  await it.consumer.deadLetters.redrive({})
  assert.deepEqual(await it.untilDone(1), ['a 1'])
  await settle()
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
  assert.equal(it.consumer.status().heldKeys, 0)
})
