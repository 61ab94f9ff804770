import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineFixture, heard } from '../../test/engine-fixture.ts'
import { currentCorrelation } from '../correlation.ts'
import { MillraceError, type MillraceErrorCode } from '../errors.ts'

const hasCode = (code: MillraceErrorCode) => (error: unknown) =>
  error instanceof MillraceError && error.code === code

const left = { payload: { name: 'ada' } }

test('the inbox row, the changes and the events of a handler commit together, in that order', async () => {
  await using it = await engineFixture()
  const order: string[] = []
  const handling = it.handling({ opened: async () => void order.push('inbox') })
  await handling.run(async () => {
    const { db, publish } = handling.context
    order.push('before')
    await db.selectFrom('millrace_effects').selectAll().execute()
    order.push('query')
    await publish('person.left', left)
    assert.deepEqual(await it.rows(), [])
  })
  await handling.commit()
  assert.deepEqual(order, ['before', 'inbox', 'query'])
  const [row] = await it.rows()
  assert.equal(row?.event_type, 'person.left')
  assert.equal(it.outbox.unsent, 1)
})

test('a handler that uses neither db nor publish takes its transaction at its commit', async () => {
  await using it = await engineFixture()
  const order: string[] = []
  const handling = it.handling({ opened: async () => void order.push('inbox') })
  order.push('handler')
  await handling.commit()
  assert.deepEqual(order, ['handler', 'inbox'])
})

test('publish opens the transaction, so that a duplicate is found before anything is said', async () => {
  await using it = await engineFixture()
  const duplicate = new Error('duplicate')
  const handling = it.handling({
    async opened() {
      throw duplicate
    },
  })
  await assert.rejects(handling.context.publish('person.left', left), (e) => e === duplicate)
  await assert.rejects(handling.commit(), (error) => error === duplicate)
  assert.deepEqual(await it.rows(), [])
})

test('what a handler publishes and does not await is said, however slowly it is checked', async () => {
  await using it = await engineFixture()
  const handling = it.handling()
  await handling.run(async () => {
    await handling.context.db.selectFrom('millrace_inbox').selectAll().execute()
    void handling.context.publish('person.left', { payload: { name: 'slow' } })
  })
  await handling.commit()
  assert.equal((await it.rows()).length, 1)
})

test('what a handler says is caused by its event, and has its correlation and its trace', async () => {
  await using it = await engineFixture()
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const handling = it.handling({ traceparent })
  await handling.run(async () => {
    assert.equal(currentCorrelation()?.correlationId, 'correlation-1')
    await handling.context.publish('person.left', left)
  })
  await handling.commit()
  const [row] = await it.rows()
  assert.equal(row?.headers.correlationId, 'correlation-1')
  assert.equal(row.headers.causationId, 'event-1')
  assert.equal(row.headers.traceparent, traceparent)
})

test('an event without a correlation begins one, under its own id', async () => {
  await using it = await engineFixture()
  const handling = it.handling({ event: { ...heard, correlationId: null } })
  await handling.context.publish('person.left', left)
  await handling.commit()
  assert.equal((await it.rows())[0]?.headers.correlationId, 'event-1')
})

test('after a rollback nothing is said, and late calls are refused', async () => {
  await using it = await engineFixture()
  const handling = it.handling()
  const { db, publish } = handling.context
  await publish('person.left', left)
  await handling.rollback()
  await assert.rejects(publish('person.left', left), hasCode('transaction-closed'))
  await assert.rejects(
    db.selectFrom('millrace_effects').selectAll().execute(),
    hasCode('transaction-closed'),
  )
  assert.deepEqual(await it.rows(), [])
})

test('an effect happens once for an event, a name and a person, over all attempts', async () => {
  await using it = await engineFixture()
  const done: string[] = []
  const act = async (key: string) => void done.push(key)
  for (const attempt of [1, 2]) {
    const { effect } = it.handling({ attempt }).context
    await effect('mail', act)
    await effect('mail', 'ada', act)
    await effect('mail', 'bob', act)
    await effect('sms', act)
  }
  await it.handling({ event: { ...heard, eventId: 'event-2' } }).context.effect('mail', act)
  assert.deepEqual(done, [
    'event-1:mail',
    'event-1:mail:ada',
    'event-1:mail:bob',
    'event-1:sms',
    'event-2:mail',
  ])
})

test('an effect that is done stays done when its handler then fails', async () => {
  await using it = await engineFixture()
  const done: number[] = []
  for (const attempt of [1, 2]) {
    const handling = it.handling({ attempt })
    await handling.context.effect('mail', async () => void done.push(attempt))
    await handling.context.publish('person.left', left)
    await handling.rollback()
  }
  assert.deepEqual(done, [1])
})

test('an effect that fails throws its error and is tried again the next time', async () => {
  await using it = await engineFixture()
  const refused = new Error('mailbox full')
  const first = it.handling().context.effect('mail', () => Promise.reject(refused))
  await assert.rejects(first, (error) => error === refused)
  const done: string[] = []
  await it.handling().context.effect('mail', async (key) => void done.push(key))
  assert.deepEqual(done, ['event-1:mail'])
})

test('an effect in an open transaction is refused before it happens', async () => {
  await using it = await engineFixture()
  const done: string[] = []
  const act = async (key: string) => void done.push(key)
  const reading = it.handling()
  await reading.context.db.selectFrom('millrace_effects').selectAll().execute()
  await assert.rejects(reading.context.effect('mail', act), hasCode('effect-in-transaction'))
  await reading.rollback()

  const saying = it.handling()
  await saying.context.publish('person.left', left)
  await assert.rejects(saying.context.effect('mail', act), hasCode('effect-in-transaction'))
  await saying.rollback()

  const careful = it.handling()
  await careful.context.read.selectFrom('millrace_effects').selectAll().execute()
  await careful.context.effect('mail', act)
  assert.deepEqual(done, ['event-1:mail'])
})
