// A redrive of ten thousand, on the store that services have by default.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { asks } from '../../test/asking.ts'
import { consumerFixture, writeDown } from '../../test/consumer-fixture.ts'
import { settle } from '../../test/turns.ts'

const letters = 10_000
const keys = 500

test('a redrive of ten thousand shows its progress, and keeps the order of each key', async () => {
  const first = await consumerFixture({ handle: writeDown })
  const value = sql`cast('{"eventType":"task.updated","taskId":"k' || (n % ${keys}) ||
    '","timestamp":"2026-01-01T00:00:00Z","payload":{"step":"' || n || '"}}' as blob)`
  const fill = sql`with recursive numbers(n) as
      (select 0 union all select n + 1 from numbers where n < ${letters - 1})
    insert into millrace_dead_letters (letter_id, state, subscription, stream, held_key, event_id,
      event_type, attempts, reason, parked_at_ms, cluster_id, topic_id, topic, partition,
      record_offset, record_value, record_headers, timestamp_ms)
    select 'l' || n, case when n < ${keys} then 'parked' else 'behind' end, 'task.updated', 'task',
      'k' || (n % ${keys}), 'e' || n, 'task.updated', 1, 'the store was closed', 0, 'c', 't',
      'task.updated', 0, n, ${value}, '[["id","' || 'ZQ==' || '"]]', 0
    from numbers`
  await first.store.transaction('fill', (db) => fill.execute(db))
  // The header of each is its own event id.
  await first.store.transaction('name', async (db) => {
    for (let n = 0; n < letters; n += 1) {
      const id = Buffer.from(`e${n}`).toString('base64')
      await db
        .updateTable('millrace_dead_letters')
        .set({ record_headers: JSON.stringify([['id', id]]) })
        .where('letter_id', '=', `l${n}`)
        .execute()
    }
  })
  await first.crash()
  await using it = await consumerFixture({ handle: writeDown, earlier: first })
  const asking = { transport: it.producer, clock: it.clock }
  const question = await asks(asking, { action: 'redrive', target: {} })
  const outcome = await question.ended()
  assert.deepEqual(outcome, { kind: 'done', letters, isOutOfOrder: false })
  assert.deepEqual(question.told[0], { kind: 'begun', done: 0, total: letters })
  const told = question.told.flatMap((one) => (one.kind === 'progress' ? [one.done] : []))
  assert.ok(told.length > 0 && told.every((done) => done <= letters))
  for (let turn = 0; (await it.consumer.deadLetters.list()).length > 0; turn += 1) {
    assert.ok(turn < 10_000, 'the letters were never drained')
    for (let one = 0; one < 20; one += 1) await settle()
  }
  const done = await it.done()
  assert.equal(done.length, letters)
  const byKey = Map.groupBy(
    done.map((line) => line.split(' ')),
    ([key]) => key,
  )
  for (const [key, steps] of byKey) {
    const numbers = steps.map(([, step]) => Number(step))
    assert.deepEqual(
      numbers,
      numbers.toSorted((one, other) => one - other),
      key,
    )
  }
})
