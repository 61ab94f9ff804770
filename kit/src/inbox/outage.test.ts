// P7: an outage is told from bad events, and parks nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerFixture, type Handle, writeDown } from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'
import { Fatal, Outage } from '../errors.ts'
import { probeDelayMsMax } from '../retry/limits.ts'

const quick = { retry: { attemptsMax: 3, delayMsMin: 100, delayMsMax: 100 } }
const keys = (count: number) => Array.from({ length: count }, (_, index) => `key ${index}`)

/** Chance that is the same in every run. */
function chance(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state / 2 ** 32
  }
}

test('one poison event among a hundred keys under load parks alone and opens no breaker', async () => {
  const outages: unknown[] = []
  await using it = await consumerFixture({
    handlerOptions: quick,
    handle: async (event, context) => {
      outages.push(...it.consumer.status().outages)
      await settle()
      if (event.taskId === 'poison') throw new Error('not possible')
      await writeDown(event, context)
    },
  })
  const tasks = keys(100)
  for (const task of [...tasks.slice(0, 50), 'poison', ...tasks.slice(50)]) {
    await it.send('task.updated', task, '1')
  }
  await it.untilDone(100)
  for (let round = 0; round < 5; round += 1) {
    await it.clock.advance(100)
    await settle()
  }
  const letters = await it.consumer.deadLetters.list()
  assert.deepEqual(
    letters.map(({ key, state }) => [key, state]),
    [['poison', 'parked']],
  )
  assert.deepEqual(outages, [])
})

test('a burst of poison costs each its attempts, not those of all others', async () => {
  const poison = new Set(keys(20))
  let runs = 0
  await using it = await consumerFixture({
    handlerOptions: quick,
    handle: async (event, context) => {
      if (!poison.has(event.taskId)) return writeDown(event, context)
      runs += 1
      throw new Error('not possible')
    },
  })
  for (const [index, task] of [...poison].entries()) {
    await it.send('task.updated', task, '1')
    await it.send('task.updated', `good ${index}`, '1')
    await settle()
  }
  for (let round = 0; round < 60; round += 1) {
    await it.send('task.updated', `later ${round}`, '1')
    await it.clock.advance(5)
  }
  assert.equal((await it.consumer.deadLetters.list()).length, poison.size)
  assert.equal(runs, poison.size * 3)
})

test('a dependency that is down for a minute under load parks nothing, and all is done in seconds', async () => {
  let isDown = false
  await using it = await consumerFixture({
    handlerOptions: quick,
    handle: async (event, context) => {
      if (isDown) throw new Error(`connect ECONNREFUSED for ${event.taskId}`)
      await writeDown(event, context)
    },
  })
  let sent = 0
  const load = async (seconds: number): Promise<void> => {
    for (let tenth = 0; tenth < seconds * 10; tenth += 1) {
      for (const last = sent + 10; sent < last; sent += 1) {
        await it.send('task.updated', `key ${sent % 100}`, String(sent))
      }
      await it.clock.advance(100)
    }
  }
  await load(2)
  isDown = true
  const before = (await it.done()).length
  await load(60)
  assert.equal((await it.done()).length, before)
  assert.equal(it.consumer.status().outages.length, 1)
  isDown = false
  await it.clock.advance(5_000)
  assert.equal((await it.untilDone(sent)).length, sent)
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
  assert.deepEqual(it.consumer.status().outages, [])
})

test('a dependency that fails every other time is worked with, and parks nothing', async () => {
  const random = chance()
  let isSick = true
  await using it = await consumerFixture({
    handlerOptions: quick,
    handle: async (event, context) => {
      if (isSick && random() < 0.5) throw new Error('503 from the dependency')
      await writeDown(event, context)
    },
  })
  for (const task of keys(100)) await it.send('task.updated', task, '1')
  for (let second = 0; second < 60; second += 1) await it.clock.advance(1_000)
  const done = (await it.done()).length
  assert.ok(done > 10, `${done} were done while it was sick`)
  isSick = false
  for (let second = 0; second < 20; second += 1) await it.clock.advance(1_000)
  assert.equal((await it.untilDone(100)).length, 100)
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
})

test('a stop while a probe is at work loses nothing', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  let isProbe = false
  let probes = 0
  const probing: Handle = async () => {
    if (isProbe) {
      probes += 1
      await gate
    }
    throw new Outage('down')
  }
  const first = await consumerFixture({ handle: probing })
  for (const task of 'abc') await first.send('task.updated', task, '1')
  await settle()
  isProbe = true
  await first.clock.advance(probeDelayMsMax)
  assert.equal(probes, 1)
  const stopped = first.consumer.stop()
  open()
  await stopped
  await first.crash()
  await using it = await consumerFixture({ earlier: first })
  assert.equal((await it.untilDone(3)).length, 3)
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
})

const fatal: readonly [string, Error, boolean][] = [
  ['says that it is', new Fatal('no such product'), true],
  ['is declared so', Object.assign(new Error('refused'), { status: 422 }), true],
  ['is of another kind', Object.assign(new Error('refused'), { status: 503 }), false],
]
for (const [what, error, isFatal] of fatal) {
  test(`an error that ${what} ${isFatal ? 'skips the retries' : 'is tried again'}`, async () => {
    let runs = 0
    const isUnprocessable = (thrown: unknown): boolean =>
      thrown instanceof Error && 'status' in thrown && thrown.status === 422
    await using it = await consumerFixture({
      handlerOptions: { retry: { ...quick.retry, fatal: isUnprocessable } },
      handle: async () => {
        runs += 1
        throw error
      },
    })
    await it.send('task.updated', 'a', '1')
    await settle()
    assert.equal((await it.consumer.deadLetters.list()).length, isFatal ? 1 : 0)
    for (let round = 0; round < 5; round += 1) await it.clock.advance(100)
    assert.equal(runs, isFatal ? 1 : 3)
  })
}
