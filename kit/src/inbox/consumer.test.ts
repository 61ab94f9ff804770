import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Transaction } from 'kysely'
import { consumerFixture, type Handle, writeDown } from '../../test/consumer-fixture.ts'
import { settle, until } from '../../test/turns.ts'
import {
  commitEveryMs,
  handlerTimeoutMsDefault,
  inboxKeptMsMin,
  inboxPruneEveryMs,
  memoryRecordsMax,
  partitionEventsMax,
} from '../limits.ts'
import { probeDelayMsMax, retryInMemoryMsMax } from '../retry/limits.ts'
import type { KitTables } from '../store/kit-tables.ts'

const quick = { retry: { attemptsMax: 3, delayMsMin: 100, delayMsMax: 100 } }
const seldom = { retry: { attemptsMax: 3, delayMsMin: 3_600_000, delayMsMax: 3_600_000 } }

/** Fails for one task until `mend` is called, and does all others. */
function failingFor(task: string) {
  const attempts: string[] = []
  let isBroken = true
  const handle: Handle = async (event, context) => {
    if (event.taskId === task) {
      attempts.push(`${event.payload.step} ${context.attempt}`)
      if (isBroken) throw new Error(`task "${task}" is broken`)
    }
    await writeDown(event, context)
  }
  const mend = (): void => {
    isBroken = false
  }
  return { attempts, handle, mend }
}

test('an event is done once, and its offset is committed after it', async () => {
  await using it = await consumerFixture({ handle: writeDown })
  await it.send('task.updated', 'a', '1')
  await it.send('task.updated', 'bb', '1')
  assert.deepEqual(new Set(await it.untilDone(2)), new Set(['a 1', 'bb 1']))
  await it.clock.advance(commitEveryMs)
  assert.deepEqual(await it.committed('task.updated'), [1n, 1n])
})

test('the same event at another offset is swallowed', async () => {
  await using it = await consumerFixture({ handle: writeDown })
  await it.send('task.updated', 'a', '1', 'the same')
  await it.send('task.updated', 'a', '1', 'the same')
  await it.untilDone(1)
  await it.send('task.updated', 'a', '1', 'the same')
  await it.send('task.updated', 'a', '2')
  assert.deepEqual(await it.untilDone(2), ['a 1', 'a 2'])
})

test('an event that fails is tried again while other keys flow and its own key waits', async () => {
  const { attempts, handle, mend } = failingFor('a')
  await using it = await consumerFixture({ handle, handlerOptions: quick })
  await it.send('task.updated', 'a', '1')
  await settle() // Kafka orders within a topic only
  await it.send('task.completed', 'a', '2')
  await it.send('task.updated', 'b', '1')
  assert.deepEqual(await it.untilDone(1), ['b 1'])
  mend()
  await it.clock.advance(100)
  assert.deepEqual(await it.untilDone(3), ['b 1', 'a 1', 'a 2'])
  assert.deepEqual(attempts, ['1 1', '1 2', '2 1'])
})

test('an event that always fails parks its key on both topics, and nothing else', async () => {
  const { attempts, handle, mend } = failingFor('a')
  await using it = await consumerFixture({ handle, handlerOptions: quick })
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.send('task.completed', 'a', '2')
  await it.send('task.updated', 'b', '1')
  for (const _ of [1, 2, 3]) await it.clock.advance(100)
  await it.send('task.updated', 'a', '3')
  await it.send('task.updated', 'b', '2')
  await settle()
  assert.deepEqual(await it.untilDone(2), ['b 1', 'b 2'])
  assert.deepEqual(attempts, ['1 1', '1 2', '1 3'])
  await it.clock.advance(commitEveryMs)
  assert.deepEqual(await it.committed('task.updated'), [null, 4n])
  const letters = await it.consumer.deadLetters.list()
  assert.deepEqual(
    letters.map(({ eventType, state, attempts: count }) => [eventType, state, count]),
    [
      ['task.updated', 'parked', 3],
      ['task.completed', 'behind', 0],
      ['task.updated', 'behind', 0],
    ],
  )
  assert.equal(letters[0]?.reason, 'task "a" is broken')

  mend()
  await it.send('task.completed', 'a', '4')
  await settle()
  const redriven = await it.consumer.deadLetters.redrive({ key: 'a' })
  assert.deepEqual(redriven, { letters: 4, isOutOfOrder: false })
  await it.send('task.updated', 'a', '5')
  const done = await it.untilDone(7)
  assert.deepEqual(done.slice(2), ['a 1', 'a 2', 'a 3', 'a 4', 'a 5'])
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
  assert.equal(it.consumer.status().heldKeys, 0)
})

test('a parked key stays parked over a restart, and is redriven after it', async () => {
  const before = failingFor('a')
  const first = await consumerFixture({ handle: before.handle, handlerOptions: quick })
  await first.send('task.updated', 'a', '1')
  await first.send('task.updated', 'a', '2')
  for (const _ of [1, 2, 3]) await first.clock.advance(100)
  await settle()
  await first.crash()

  await using it = await consumerFixture({ handle: writeDown, earlier: first })
  await it.send('task.completed', 'a', '3')
  await it.send('task.updated', 'b', '1')
  assert.deepEqual(await it.untilDone(1), ['b 1'])
  await settle()
  assert.equal((await it.consumer.deadLetters.list()).length, 3)
  await it.consumer.deadLetters.redrive({})
  assert.deepEqual((await it.untilDone(4)).slice(1), ['a 1', 'a 2', 'a 3'])
})

test('a long wait is a row: it holds back no offset and outlives a restart', async () => {
  const before = failingFor('a')
  const first = await consumerFixture({ handle: before.handle, handlerOptions: seldom })
  await first.send('task.updated', 'a', '1')
  await first.send('task.updated', 'a', '2')
  await settle()
  await first.clock.advance(commitEveryMs)
  assert.deepEqual(await first.committed('task.updated'), [null, 2n])
  const [waiting] = await first.consumer.deadLetters.list()
  assert.equal(waiting?.state, 'waiting')
  const dueMs = Date.parse(waiting.dueAt ?? '') - first.clock.nowMs()
  assert.ok(dueMs > retryInMemoryMsMax && dueMs <= 3_600_000)
  await first.crash()

  await using it = await consumerFixture({ handle: writeDown, earlier: first })
  const dueAtMs = Date.parse(waiting.dueAt ?? '')
  await it.clock.advance(dueAtMs - it.clock.nowMs() - 1)
  assert.deepEqual(await it.done(), [])
  await it.clock.advance(1)
  assert.deepEqual(await it.untilDone(2), ['a 1', 'a 2'])
})

test('what a crash interrupted is done once after the restart', async () => {
  const { promise: forever } = Promise.withResolvers<void>()
  const first = await consumerFixture({
    handle: async (event, context) => {
      await writeDown(event, context)
      if (event.taskId === 'a') await forever
    },
  })
  await first.send('task.updated', 'b', '1')
  await first.send('task.updated', 'a', '1')
  await settle()
  await first.crash()

  await using it = await consumerFixture({ handle: writeDown, earlier: first })
  assert.deepEqual(await it.untilDone(2), ['b 1', 'a 1'])
})

test('a restart repeats what was in flight, and nothing that was done above it', async () => {
  const begun: string[] = []
  const { promise: gate } = Promise.withResolvers<void>()
  const handle: Handle = async (event, context) => {
    begun.push(event.taskId)
    if (event.taskId === 'a') await gate
    await writeDown(event, context)
  }
  const first = await consumerFixture({ handle })
  for (const task of ['a', 'b', 'c']) await first.send('task.updated', task, '1')
  await first.untilDone(2)
  await first.clock.advance(commitEveryMs)
  assert.deepEqual(await first.committed('task.updated'), [null, 0n])
  // Without its inbox nothing but the commit can know what was done.
  const forget = (db: Transaction<KitTables>) => db.deleteFrom('millrace_inbox').execute()
  await first.store.transaction('forget', forget)
  await first.crash()
  begun.length = 0
  const again: Handle = async (event) => void begun.push(event.taskId)
  await using second = await consumerFixture({ handle: again, earlier: first })
  await second.send('task.updated', 'd', '1')
  await until('the last is heard', () => begun.includes('d'))
  assert.deepEqual(begun, ['a', 'd'])
})

test('what runs of a partition that was lost is told to stop, and is nobody’s failure', async () => {
  const signals: AbortSignal[] = []
  const handle: Handle = async (_event, { signal }) => {
    signals.push(signal)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    signal.throwIfAborted()
  }
  await using it = await consumerFixture({ handle })
  await it.send('task.updated', 'a', '1')
  await until('the handler runs', () => signals.length === 1)
  // The group is gone with its cluster, so that nothing can be drained or committed.
  it.cluster.wipe()
  await settle()
  assert.equal(signals[0]?.aborted, true)
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
  assert.deepEqual(it.consumer.status().partitions, [])
})

test('keys that fail alike are an outage: nothing is counted, and all is done when it ends', async () => {
  let isDown = true
  const attempts: number[] = []
  await using it = await consumerFixture({
    handlerOptions: quick,
    handle: async (event, context) => {
      attempts.push(context.attempt)
      if (isDown) throw new Error(`no connection for "${event.taskId}"`)
      await writeDown(event, context)
    },
  })
  const tasks = ['a1', 'b2', 'c3', 'd4', 'e5', 'f6', 'g7']
  for (const task of tasks) await it.send('task.updated', task, '1')
  await settle()
  const [outage] = it.consumer.status().outages
  assert.equal(outage?.subscription, 'task.updated')
  assert.match(outage.reason, /no connection/)
  const before = attempts.length
  const outageMs = 10 * 60_000
  await it.clock.advance(outageMs)
  // Probes, one at a time: seldom, whatever the number of events that wait.
  const probes = attempts.length - before
  assert.ok(probes <= outageMs / (probeDelayMsMax / 2) + 3, `${probes} probes`)
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
  isDown = false
  await it.clock.advance(60_000)
  const done = await it.untilDone(tasks.length)
  assert.deepEqual(new Set(done), new Set(tasks.map((task) => `${task} 1`)))
  assert.ok(Math.max(...attempts) <= 2, 'no failure of the outage was counted for good')
  assert.deepEqual(it.consumer.status().outages, [])
})

test('a handler that waits longer than its limit has failed, and its signal tells it', async () => {
  const reasons: unknown[] = []
  await using it = await consumerFixture({
    handlerOptions: { retry: { attemptsMax: 1 } },
    handle: (_event, { signal }) =>
      new Promise((_resolve) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason))
      }),
  })
  await it.send('task.updated', 'a', '1')
  await settle()
  await it.clock.advance(handlerTimeoutMsDefault)
  await settle()
  const [letter] = await it.consumer.deadLetters.list()
  assert.equal(letter?.reason, `the handler took longer than ${handlerTimeoutMsDefault} ms`)
  assert.equal(reasons.length, 1)
})

const throwing: readonly [string, Handle, string][] = [
  ['text', () => Promise.reject('just text'), 'just text'],
  ['nothing', () => Promise.reject(), 'undefined'],
  [
    'an error at once',
    () => {
      throw new Error('at once')
    },
    'at once',
  ],
]
for (const [what, handle, reason] of throwing) {
  test(`a handler may throw ${what}`, async () => {
    await using it = await consumerFixture({
      handle,
      handlerOptions: { retry: { attemptsMax: 1 } },
    })
    await it.send('task.updated', 'a', '1')
    await settle()
    assert.deepEqual(
      (await it.consumer.deadLetters.list()).map((letter) => letter.reason),
      [reason],
    )
  })
}

test('what fails after it wrote leaves nothing behind', async () => {
  let isBroken = true
  await using it = await consumerFixture({
    handlerOptions: quick,
    handle: async (event, context) => {
      await writeDown(event, context)
      if (isBroken) throw new Error('after writing')
    },
  })
  await it.send('task.updated', 'a', '1')
  await settle()
  isBroken = false
  await it.clock.advance(100)
  assert.deepEqual(await it.untilDone(1), ['a 1'])
})

test('skip puts one event aside and goes on with its key', async () => {
  await using it = await consumerFixture({
    handlerOptions: { retry: { attemptsMax: 1 }, onExhausted: 'skip' },
    handle: async (event, context) => {
      if (event.payload.step === '1') throw new Error('this one')
      await writeDown(event, context)
    },
  })
  for (const step of ['1', '2', '3']) await it.send('task.updated', 'a', step)
  assert.deepEqual(await it.untilDone(2), ['a 2', 'a 3'])
  assert.deepEqual(
    (await it.consumer.deadLetters.list()).map(({ state }) => state),
    ['skipped'],
  )
  assert.deepEqual(await it.consumer.deadLetters.redrive({}), { letters: 1, isOutOfOrder: true })
})

test('a discarded letter stays away, and those behind it go on', async () => {
  const { handle } = failingFor('a')
  await using it = await consumerFixture({
    handlerOptions: { retry: { attemptsMax: 1 } },
    handle: async (event, context) => {
      if (event.payload.step === '1') await handle(event, context)
      else await writeDown(event, context)
    },
  })
  const eventId = await it.send('task.updated', 'a', '1')
  await it.send('task.updated', 'a', '2')
  await settle()
  const [head] = await it.consumer.deadLetters.list()
  await it.consumer.deadLetters.discard({ id: head?.id ?? '' })
  assert.deepEqual(await it.untilDone(1), ['a 2'])
  await it.send('task.updated', 'a', '1', eventId)
  await it.send('task.updated', 'a', '3')
  assert.deepEqual(await it.untilDone(2), ['a 2', 'a 3'])
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
})

test('a letter or a key that nobody knows is said', async () => {
  await using it = await consumerFixture({ handle: writeDown })
  for (const target of [{ id: 'none' }, { key: 'none' }]) {
    await assert.rejects(it.consumer.deadLetters.redrive(target), { code: 'dead-letter-unknown' })
    await assert.rejects(it.consumer.deadLetters.discard(target), { code: 'dead-letter-unknown' })
  }
  assert.deepEqual(await it.consumer.deadLetters.redrive({}), { letters: 0, isOutOfOrder: false })
})

test('stop waits for what runs and begins nothing more', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const begun: string[] = []
  const it = await consumerFixture({
    handle: async (event, context) => {
      begun.push(event.payload.step)
      await gate
      await writeDown(event, context)
    },
  })
  for (const step of ['1', '2']) await it.send('task.updated', 'a', step)
  await settle()
  const stopped = it.consumer.stop()
  await settle()
  open()
  await stopped
  assert.deepEqual(begun, ['1'])
  assert.deepEqual(await it.committed('task.updated'), [null, 1n])
  await it.crash()
  await using next = await consumerFixture({ handle: writeDown, earlier: it })
  assert.deepEqual(await next.untilDone(2), ['a 1', 'a 2'])
})

test('inbox rows go when they are old and the group has passed them, with their effects', async () => {
  await using it = await consumerFixture({
    handle: async (event, context) => {
      await context.effect('mail', async () => {})
      await writeDown(event, context)
    },
  })
  await it.send('task.updated', 'a', '1')
  await it.untilDone(1)
  await it.clock.advance(commitEveryMs)
  const count = async (table: 'millrace_inbox' | 'millrace_effects') =>
    (await it.store.read.selectFrom(table).select('event_id').execute()).length
  const age = (ageMs: number) =>
    it.store.transaction('age', (db) =>
      db
        .updateTable('millrace_inbox')
        .set({ handled_at_ms: it.clock.nowMs() - ageMs })
        .execute(),
    )
  await age(inboxKeptMsMin - inboxPruneEveryMs - 1)
  await it.clock.advance(inboxPruneEveryMs)
  await settle()
  assert.deepEqual([await count('millrace_inbox'), await count('millrace_effects')], [1, 1])
  await age(inboxKeptMsMin)
  await it.clock.advance(inboxPruneEveryMs)
  await settle()
  assert.deepEqual([await count('millrace_inbox'), await count('millrace_effects')], [0, 0])
})

test('a stop while old rows are forgotten leaves no timer', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  await using it = await consumerFixture({ handle: writeDown })
  await it.send('task.updated', 'a', '1')
  await it.untilDone(1)
  await it.clock.advance(inboxPruneEveryMs - 1)
  const holding = it.store.transaction('holds the writer', async (db) => {
    await db.selectFrom('millrace_inbox').selectAll().execute()
    await gate
  })
  await it.clock.advance(1)
  await it.consumer.stop()
  const before = it.clock.timers
  open()
  await holding
  await settle()
  assert.equal(it.clock.timers, before - 1, 'only the time limit of the transaction has gone')
})

test('an old inbox row stays as long as the group could meet its record again', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  await using it = await consumerFixture({
    handle: async (event, context) => {
      if (event.taskId === 'a') await gate
      await writeDown(event, context)
    },
  })
  await it.send('task.updated', 'a', '1')
  await it.send('task.updated', 'b', '1')
  await it.untilDone(1)
  await it.store.transaction('age', (db) =>
    db
      .updateTable('millrace_inbox')
      .set({ handled_at_ms: it.clock.nowMs() - inboxKeptMsMin })
      .execute(),
  )
  await it.clock.advance(inboxPruneEveryMs)
  const rows = await it.store.read.selectFrom('millrace_inbox').select('event_id').execute()
  assert.deepEqual(
    rows.map(({ event_id: id }) => id),
    ['b-1-2'],
  )
  open()
})

test('a handler that does not keep up holds back its partition, not the memory', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const handled: string[] = []
  await using it = await consumerFixture({
    handle: async ({ taskId }) => {
      await gate
      handled.push(taskId)
    },
  })
  const value = (id: number) =>
    Buffer.from(
      JSON.stringify({ eventType: 'task.updated', taskId: `t${id}`, payload: { step: '1' } }),
    )
  const sent = 2 * partitionEventsMax
  const records = Array.from({ length: sent }, (_, id) => {
    return { key: null, value: value(id), headers: [], timestampMs: 0 }
  })
  await it.producer.send({ topic: 'task.updated', partition: 0 }, records)
  await settle()
  const { events } = it.consumer.status()
  assert.ok(events >= partitionEventsMax, `${events} events are in memory`)
  assert.ok(events < partitionEventsMax + memoryRecordsMax, `${events} events are in memory`)
  open()
  for (let turn = 0; turn < 100 && handled.length < sent; turn += 1) await settle()
  assert.equal(handled.length, sent)
})
