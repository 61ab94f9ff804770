import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { consumerFixture, type Handle, writeDown } from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'
import { type CommandOutcome, commandAnswered } from '../control/command.ts'
import { commandRecord } from '../control/control-record.ts'
import { commandsTopic, deadLettersTopic } from '../control/control-topics.ts'
import { commitEveryMs, deadLettersMax } from '../limits.ts'
import { type DeadLetter, readAnnouncement } from './announcement.ts'

const once = { retry: { attemptsMax: 1 } }

/** Does all but the steps that it is told to fail. */
function failingAt(...steps: string[]) {
  const failing = new Set(steps)
  const handle: Handle = async (event, context) => {
    if (failing.has(event.payload.step)) throw new Error(`step ${event.payload.step} fails`)
    await writeDown(event, context)
  }
  return { failing, handle }
}

type Fixture = Awaited<ReturnType<typeof consumerFixture>>

/** What `millrace.dead-letters` says, record by record: a state, or null for a tombstone. */
async function announced({ producer }: Fixture): Promise<readonly (DeadLetter | null)[]> {
  const records = await producer.readFrom({ topic: deadLettersTopic, partition: 0 }, 0n, 1_000)
  return records.map(({ value }) => (value === null ? null : readAnnouncement(value)))
}

interface Asked {
  readonly deadlineMs: number
  readonly service?: string
}

function command({ clock }: Fixture, { deadlineMs, service = 'worker' }: Asked) {
  const deadline = new Date(clock.nowMs() + deadlineMs).toISOString()
  return commandRecord(
    { service, action: 'redrive', target: {}, deadline, askedBy: 'a test' },
    { source: 'a test', clock, random: Math.random },
  )
}

/** The outcomes that the service put on the commands' topic. */
async function answers({ producer }: Fixture): Promise<readonly CommandOutcome[]> {
  const records = await producer.readFrom({ topic: commandsTopic, partition: 0 }, 0n, 1_000)
  return records.flatMap(({ value }) => {
    const { eventType, payload } = JSON.parse(Buffer.from(value ?? []).toString())
    return eventType === commandAnswered ? [payload.outcome] : []
  })
}

test('each change of a dead letter is announced, and its end by a tombstone', async () => {
  const { failing, handle } = failingAt('1')
  await using it = await consumerFixture({ handle, handlerOptions: once })
  const eventId = await it.send('task.updated', 'a', '1')
  await settle()
  await it.send('task.updated', 'a', '2')
  await settle()
  failing.clear()
  await it.consumer.deadLetters.redrive({})
  await it.untilDone(2)
  await settle()
  const said = await announced(it)
  assert.deepEqual(
    said.map((letter) => letter?.state ?? null),
    ['parked', 'behind', 'waiting', null, null],
  )
  const [parked] = said
  assert.equal(parked?.service, 'worker')
  assert.equal(parked.eventId, eventId)
  assert.equal(parked.reason, 'step 1 fails')
  assert.deepEqual([parked.topic, parked.key, parked.attempts], ['task.updated', 'a', 1])
})

test('a rejected record keeps key, value and headers byte for byte', async () => {
  await using it = await consumerFixture({ handle: writeDown })
  const record = {
    key: Buffer.from([0, 255]),
    value: Buffer.from([0x7b, 0xff, 0x00]),
    headers: [
      { name: 'h', value: Buffer.from([1, 2, 255]) },
      { name: 'h', value: Buffer.alloc(0) },
    ],
    timestampMs: 42,
  }
  await it.producer.send({ topic: 'task.updated', partition: 0 }, [record])
  await settle()
  const row = await it.store.read
    .selectFrom('millrace_dead_letters')
    .selectAll()
    .executeTakeFirstOrThrow()
  assert.deepEqual(Buffer.from(row.record_key ?? []), record.key)
  assert.deepEqual(Buffer.from(row.record_value ?? []), record.value)
  assert.deepEqual(JSON.parse(row.record_headers), [
    ['h', 'AQL/'],
    ['h', ''],
  ])
  assert.equal(row.timestamp_ms, 42)
  await it.clock.advance(commitEveryMs)
  assert.deepEqual(await it.committed('task.updated'), [1n, null])
  await it.consumer.deadLetters.redrive({})
  await settle()
  assert.deepEqual(
    (await it.consumer.deadLetters.list()).map(({ state }) => state),
    ['rejected'],
  )
})

test('a record whose time is beyond all numbers is rejected, and stops no other letter', async () => {
  await using it = await consumerFixture({ handle: writeDown })
  const value = Buffer.from('{"taskId":"a","payload":{"step":"1"}}')
  const nanoseconds = { key: null, value, headers: [], timestampMs: 1_700_000_000_000_000_000 }
  await it.producer.send({ topic: 'task.updated', partition: 0 }, [nanoseconds])
  await it.send('task.updated', 'aa', '2')
  assert.deepEqual(await it.untilDone(1), ['aa 2'])
  assert.equal((await it.consumer.deadLetters.redrive({})).letters, 1)
  await settle()
  const [letter] = await it.consumer.deadLetters.list()
  assert.equal(letter?.state, 'rejected')
})

test('a rejected record that was discarded stays away, though it comes again', async () => {
  const first = await consumerFixture({ handle: writeDown })
  const bad = { key: null, value: Buffer.from('bad'), headers: [], timestampMs: 0 }
  await first.producer.send({ topic: 'task.updated', partition: 0 }, [bad])
  await settle()
  assert.equal((await first.consumer.deadLetters.discard({})).letters, 1)
  await first.crash()
  await using second = await consumerFixture({ handle: writeDown, earlier: first })
  await second.send('task.updated', 'aa', '1')
  await second.untilDone(1)
  assert.deepEqual(await second.consumer.deadLetters.list(), [])
})

test('a command is carried out once, though it comes twice', async () => {
  const { failing, handle } = failingAt('1')
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await it.send('task.updated', 'a', '1')
  await settle()
  failing.clear()
  const { record } = command(it, { deadlineMs: 1_000 })
  await it.producer.send({ topic: commandsTopic, partition: 0 }, [record, record])
  assert.deepEqual(await it.untilDone(1), ['a 1'])
  await settle()
  assert.deepEqual(await answers(it), [{ kind: 'done', letters: 1, isOutOfOrder: false }])
})

test('a command that comes after its deadline does nothing', async () => {
  const { failing, handle } = failingAt('1')
  await using it = await consumerFixture({ handle, handlerOptions: once })
  await it.send('task.updated', 'a', '1')
  await settle()
  failing.clear()
  const { record } = command(it, { deadlineMs: -1 })
  await it.producer.send({ topic: commandsTopic, partition: 0 }, [record])
  await settle()
  const [answer] = await answers(it)
  assert.equal(answer?.kind, 'refused')
  assert.equal((await it.consumer.deadLetters.list()).length, 1)
})

test('a command for another service, and one that is no command, are passed over', async () => {
  await using it = await consumerFixture({ handle: writeDown })
  const { record } = command(it, { deadlineMs: 1_000, service: 'another' })
  const nonsense = { ...record, value: Buffer.from('{"eventType":"millrace.command.asked"}') }
  await it.producer.send({ topic: commandsTopic, partition: 0 }, [record, nonsense])
  await settle()
  await it.clock.advance(commitEveryMs)
  assert.deepEqual(await answers(it), [])
  assert.deepEqual(await it.consumer.deadLetters.list(), [])
  const [lag] = await it.producer.lag('worker', [commandsTopic])
  assert.equal(lag?.committed, 2n)
})

test('with as many dead letters as may be, a service waits instead of putting more aside', async () => {
  const { handle } = failingAt('1')
  const first = await consumerFixture({ handle, handlerOptions: once })
  const fill = sql`with recursive numbers(n) as
              (select 1 union all select n + 1 from numbers where n < ${deadLettersMax})
            insert into millrace_dead_letters (letter_id, state, subscription, stream, event_id,
              attempts, reason, parked_at_ms, cluster_id, topic_id, topic, partition,
              record_offset, record_headers, timestamp_ms)
            select 'l' || n, 'rejected', 't', 't', 'e' || n, 0, 'old', 0, '', '', 't', 0, n, '[]', 0
            from numbers`
  await first.store.transaction('fill', (db) => fill.execute(db))
  await first.crash()
  await using it = await consumerFixture({ handle, handlerOptions: once, earlier: first })
  await it.send('task.updated', 'a', '1')
  await settle()
  assert.match(it.consumer.status().outages[0]?.reason ?? '', /the limit is 100000/)
  await it.clock.advance(commitEveryMs)
  assert.deepEqual(await it.committed('task.updated'), [null, null])
  await it.consumer.deadLetters.discard({ id: 'l1' })
  await it.clock.advance(60_000)
  await settle()
  assert.deepEqual(await it.committed('task.updated'), [null, 1n])
})
