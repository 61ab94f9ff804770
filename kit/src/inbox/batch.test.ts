import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ConsumerFixtureOptions,
  type catalogue,
  consumerFixture,
  type StepTables,
  writeDown,
} from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'
import type { BatchHandler, BatchOptions } from '../batch-handler.ts'
import { readHeaders } from '../catalogue/event-headers.ts'
import { Outage } from '../errors.ts'
import { probeDelayMsMax } from '../retry/limits.ts'

type Batch = BatchHandler<typeof catalogue, 'task.updated', StepTables>

const quick = { retry: { attemptsMax: 3, delayMsMin: 100, delayMsMax: 100 } }

/** Writes down all steps of a batch: its ordinary work. */
const writeAll: Batch = async (events, { db }) => {
  const rows = events.map(({ taskId, payload }) => ({ task: taskId, step: payload.step }))
  await db.insertInto('done').values(rows).execute()
}

/** A worker that handles updates in batches, and says which. */
async function batching(
  handle: Batch,
  options: BatchOptions,
  fixture: ConsumerFixtureOptions = {},
) {
  const batches: string[][] = []
  const watched: Batch = (events, context) => {
    batches.push(events.map(({ taskId, payload }) => `${taskId} ${payload.step}`))
    return handle(events, context)
  }
  const it = await consumerFixture({
    ...fixture,
    listen: (worker) =>
      worker.onBatch('task.updated', watched, options).on('task.completed', writeDown),
  })
  return { it, batches }
}

test('what is ready is one batch, with the events of a key in order', async () => {
  const { it, batches } = await batching(writeAll, { sizeMax: 10, waitMsMax: 10 })
  await using _ = it
  for (const step of ['1', '2', '3']) {
    for (const task of ['a', 'b']) await it.send('task.updated', task, step)
  }
  await settle()
  await it.clock.advance(10)
  const done = await it.untilDone(6)
  assert.deepEqual(
    done.filter((line) => line.startsWith('a')),
    ['a 1', 'a 2', 'a 3'],
  )
  assert.equal(batches.length, 1)
})

test('a batch is never larger than it may be', async () => {
  const { it, batches } = await batching(writeAll, { sizeMax: 3, waitMsMax: 1_000 })
  await using _ = it
  for (const task of 'abcdefgh') await it.send('task.updated', task, '1')
  await it.untilDone(6)
  await it.clock.advance(1_000)
  await it.untilDone(8)
  assert.deepEqual(
    batches.map(({ length }) => length),
    [3, 3, 2],
  )
})

test('the first of a batch waits no longer than it may, whatever comes meanwhile', async () => {
  const { it, batches } = await batching(writeAll, { sizeMax: 10, waitMsMax: 1_000 })
  await using _ = it
  for (const task of 'abcd') {
    await it.send('task.updated', task, '1')
    await settle()
    await it.clock.advance(300)
  }
  await settle()
  assert.deepEqual(batches, [['a 1', 'b 1', 'c 1', 'd 1']])
})

test('one poison in a batch parks alone, its key behind it, and all others are done once', async () => {
  const { it, batches } = await batching(
    async (events, context) => {
      if (events.some(({ taskId }) => taskId === 'poison')) throw new Error('not possible')
      await writeAll(events, context)
    },
    { ...quick, sizeMax: 16, waitMsMax: 10 },
  )
  await using _ = it
  const good = Array.from('abcdefghijklmn')
  for (const task of [...good.slice(0, 7), 'poison', ...good.slice(7), 'poison']) {
    await it.send('task.updated', task, '1')
  }
  await settle()
  for (let round = 0; round < 20; round += 1) await it.clock.advance(100)
  const done = await it.untilDone(good.length)
  assert.deepEqual(done.toSorted(byText), good.map((task) => `${task} 1`).toSorted(byText))
  const letters = await it.consumer.deadLetters.list()
  assert.deepEqual(
    letters.map(({ key, state, attempts }) => [key, state, attempts]),
    [
      ['poison', 'parked', 3],
      ['poison', 'behind', 0],
    ],
  )
  // Halving costs a logarithm of the batch's size, not its size.
  assert.ok(batches.length <= 2 * 4 + 3 + 2, `${batches.length} runs`)
})

test('an outage puts a whole batch back, probes with one event, and counts nothing', async () => {
  let isDown = true
  const { it, batches } = await batching(
    async (events, context) => {
      if (isDown) throw new Outage('no connection')
      await writeAll(events, context)
    },
    { sizeMax: 8, waitMsMax: 10 },
  )
  await using _ = it
  for (const task of 'abcd') await it.send('task.updated', task, '1')
  await settle()
  for (let round = 0; round < 10; round += 1) await it.clock.advance(probeDelayMsMax)
  assert.deepEqual(new Set(batches.slice(1).map(({ length }) => length)), new Set([1]))
  isDown = false
  for (let round = 0; round < 10; round += 1) await it.clock.advance(probeDelayMsMax)
  await it.untilDone(4)
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
})

test('effects and what is said belong to the event that they are for', async () => {
  const sent: string[] = []
  let isBroken = true
  const { it } = await batching(
    async (events, { of }) => {
      for (const event of events) {
        await of(event).effect('mail', async (key) => sent.push(key))
      }
      if (isBroken) throw new Error('after the mails')
      for (const event of events) {
        await of(event).publish('ping', { payload: { step: event.payload.step } })
      }
    },
    { sizeMax: 4, waitMsMax: 10, ...quick },
  )
  await using _ = it
  for (const task of 'ab') await it.send('task.updated', task, '1', `event-${task}`)
  await settle()
  await it.clock.advance(10)
  isBroken = false
  for (let round = 0; round < 5; round += 1) await it.clock.advance(100)
  await settle()
  assert.deepEqual(sent.toSorted(byText), ['event-a:mail', 'event-b:mail'])
  const records = await Promise.all(
    [0, 1].map((partition) => it.producer.readFrom({ topic: 'ping', partition }, 0n, 10)),
  )
  const causes = records.flat().map(({ headers }) => readHeaders(headers).causationId)
  assert.deepEqual(new Set(causes), new Set(['event-a', 'event-b']))
})

test('an event that comes twice is in no batch twice', async () => {
  const { it, batches } = await batching(writeAll, { sizeMax: 10, waitMsMax: 10 })
  await using _ = it
  for (const task of 'ab') await it.send('task.updated', task, '1', `event-${task}`)
  for (const task of 'ab') await it.send('task.updated', task, '1', `event-${task}`)
  await settle()
  for (let round = 0; round < 5; round += 1) await it.clock.advance(100)
  await settle()
  assert.deepEqual(batches, [['a 1', 'b 1']])
  assert.deepEqual(await it.done(), ['a 1', 'b 1'])
})

test('a retry of one event does not wait for a batch of others', async () => {
  const attempts: number[] = []
  const { it } = await batching(
    async (events, context) => {
      attempts.push(context.attempt)
      if (context.attempt < 3) throw new Error('not yet')
      await writeAll(events, context)
    },
    { sizeMax: 1, ...quick },
  )
  await using _ = it
  await it.send('task.updated', 'a', '1')
  await settle()
  for (let round = 0; round < 5; round += 1) await it.clock.advance(100)
  assert.deepEqual(await it.untilDone(1), ['a 1'])
  assert.deepEqual(attempts, [1, 2, 3])
})

function byText(a: string, b: string): number {
  return a < b ? -1 : 1
}
