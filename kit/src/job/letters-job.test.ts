import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { asked, asks } from '../../test/asking.ts'
import { consumerFixture, type Handle, writeDown } from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'
import { alikeRedrivesMax, commitEveryMs, lettersChunkMax } from '../limits.ts'

const once = { retry: { attemptsMax: 1 } }
const keys = ['a', 'b', 'c']

/** Fails for every event until it is mended. */
function failingAll() {
  const state = { isMended: false, calls: 0 }
  const handle: Handle = async (event, context) => {
    state.calls += 1
    if (!state.isMended) throw new Error(`step ${event.payload.step} fails`)
    await writeDown(event, context)
  }
  return { state, handle }
}

type Fixture = Awaited<ReturnType<typeof consumerFixture>>

/** Puts so many letters aside, of three keys in turn. */
async function fill(it: Fixture, count: number) {
  for (let number = 0; number < count; number += 1) {
    await it.send('task.updated', keys[number % keys.length] ?? '', String(number))
  }
  for (let turn = 0; (await it.consumer.deadLetters.list()).length < count; turn += 1) {
    assert.ok(turn < 2_000, `${count} letters were never put aside`)
    await settle()
  }
  await it.clock.advance(commitEveryMs)
}

/** Steps of each key as they were done. */
function byKey(done: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const steps = done.map((line) => line.split(' '))
  const grouped = Map.groupBy(steps, ([task = '']) => task)
  return new Map([...grouped].map(([key, all]) => [key, all.map(([, step]) => Number(step))]))
}

function assertInOrder(done: readonly string[]): void {
  for (const [key, steps] of byKey(done)) {
    assert.deepEqual(
      steps,
      steps.toSorted((one, other) => one - other),
      key,
    )
  }
}

const asking = (it: Fixture) => ({ transport: it.producer, clock: it.clock })
const many = 2 * lettersChunkMax + 10

test('a redrive of many is a job that says how far it is, and keeps the order of keys', async () => {
  const { state, handle } = failingAll()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await fill(it, many)
  state.isMended = true
  const question = await asks(asking(it), { action: 'redrive', target: {} })
  assert.deepEqual(await question.ended(), { kind: 'done', letters: many, isOutOfOrder: false })
  const [begun, ...progress] = question.told
  assert.deepEqual(begun, { kind: 'begun', done: 0, total: many })
  assert.ok(progress.length > 0)
  assert.ok(progress.every((outcome) => outcome.kind === 'progress' && outcome.total === many))
  const done = await it.untilDone(many)
  assertInOrder(done)
  assert.equal(done.length, many)
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
})

test('a redrive that dies in its middle goes on there, and what arrives goes behind', async () => {
  const { state, handle } = failingAll()
  const first = await consumerFixture({ handle, handlerOptions: once })
  await fill(first, many)
  state.isMended = true
  await asks(asking(first), { action: 'redrive', target: {} })
  const jobs = first.store.read.selectFrom('millrace_jobs').selectAll()
  let begun = await jobs.executeTakeFirst()
  for (; begun === undefined || begun.position === 0; begun = await jobs.executeTakeFirst()) {
    await setImmediate()
  }
  assert.deepEqual([begun.state, begun.done < many], ['running', true])
  await first.crash()
  await using it = await consumerFixture({ handle, handlerOptions: once, earlier: first })
  for (const key of keys) await it.send('task.updated', key, String(many))
  const done = await it.untilDone(many + keys.length)
  assertInOrder(done)
  assert.equal(new Set(done).size, many + keys.length)
  const job = await it.store.read.selectFrom('millrace_jobs').selectAll().executeTakeFirstOrThrow()
  assert.deepEqual([job.state, job.done], ['done', many])
})

test('a job redrives a letter once, though it fails again while the job goes on', async () => {
  const { state, handle } = failingAll()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await fill(it, many)
  state.calls = 0
  const question = await asks(asking(it), { action: 'redrive', target: {} })
  assert.equal((await question.ended()).kind, 'done')
  await settle()
  assert.equal(state.calls, keys.length)
  const heads = (await it.consumer.deadLetters.list()).filter(({ state: now }) => now === 'parked')
  assert.deepEqual(
    heads.map(({ redrives }) => redrives),
    keys.map(() => 1),
  )
})

test('many are discarded in chunks, and those behind go on', async () => {
  const { state, handle } = failingAll()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await fill(it, many)
  state.isMended = true
  const last = many - 1
  const query = { state: 'behind' } as const
  const outcome = await asked(asking(it), { action: 'discard', target: query, reason: 'old' })
  assert.deepEqual(outcome, {
    kind: 'done',
    letters: many - keys.length,
    isOutOfOrder: false,
  })
  const left = await it.consumer.deadLetters.list()
  assert.deepEqual(new Set(left.map(({ key }) => key)), new Set(keys))
  await asked(asking(it), { action: 'redrive', target: {} })
  assert.equal((await it.untilDone(keys.length)).length, keys.length)
  await it.send('task.updated', 'a', String(last))
  await it.untilDone(keys.length + 1)
})

test('a letter that fails alike each time is left by a query, and redriven by its id', async () => {
  const { state, handle } = failingAll()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await fill(it, 1)
  const redrive = { action: 'redrive', target: {} } as const
  for (let round = 1; round <= alikeRedrivesMax; round += 1) {
    const outcome = await asked(asking(it), redrive)
    assert.deepEqual(outcome, { kind: 'done', letters: 1, isOutOfOrder: false })
    await settle()
  }
  const [letter] = await it.consumer.deadLetters.list()
  assert.deepEqual([letter?.redrives, letter?.alike], [alikeRedrivesMax, alikeRedrivesMax])
  const left = { kind: 'done', letters: 0, isOutOfOrder: false, guarded: 1 }
  assert.deepEqual(await asked(asking(it), redrive), left)
  const calls = alikeRedrivesMax + 1
  assert.equal(state.calls, calls)
  assert.equal((await asked(asking(it), { ...redrive, isForced: true })).kind, 'done')
  await settle()
  assert.equal(state.calls, calls + 1)
  state.isMended = true
  await asked(asking(it), { action: 'redrive', target: { id: letter?.id ?? '' } })
  assert.deepEqual(await it.untilDone(1), ['a 0'])
})

test('a query means the letters to which all of it applies', async () => {
  const { state, handle } = failingAll()
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await fill(it, 3)
  await it.clock.advance(60_000)
  const afterwards = new Date(it.clock.nowMs()).toISOString()
  await it.send('task.completed', 'd', '3')
  await settle()
  state.isMended = true
  const { deadLetters } = it.consumer
  const letters = async (target: Parameters<typeof deadLetters.redrive>[0]) =>
    (await deadLetters.redrive(target)).letters
  assert.equal(await letters({ eventType: 'task.completed', key: 'd', reason: 'STEP 3' }), 1)
  assert.equal(await letters({ since: afterwards, eventType: 'task.updated' }), 0)
  assert.equal(await letters({ reason: 'no such reason' }), 0)
  assert.equal(await letters({ until: afterwards, topic: 'task.updated', state: 'parked' }), 3)
})
