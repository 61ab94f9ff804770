import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineFixture } from '../../test/engine-fixture.ts'
import { settle } from '../../test/turns.ts'
import { withCorrelation } from '../correlation.ts'
import { MillraceError, type MillraceErrorCode } from '../errors.ts'

const hasCode = (code: MillraceErrorCode) => (error: unknown) =>
  error instanceof MillraceError && error.code === code

const met = (name: string, personId = 7) => ({ personId, payload: { name } })

test('what is published is in the outbox once the transaction commits, as its format writes it', async () => {
  await using it = await engineFixture()
  const eventId = await it.transaction(async ({ publish }) => {
    const id = await publish('person.met', met('ada'), { metadata: { seat: 3 } })
    assert.deepEqual(await it.rows(), [])
    return id
  })
  const [row] = await it.rows()
  assert(row !== undefined)
  const { correlationId } = row.event
  assert.deepEqual(row.event, {
    eventId,
    eventType: 'person.met',
    timestamp: '2026-01-01T00:00:00.000Z',
    version: '1.2',
    source: 'greeter',
    correlationId,
    metadata: { seat: 3 },
    personId: 7,
    payload: { name: 'ada' },
  })
  assert.deepEqual(row.headers, {
    id: eventId,
    type: 'person.met',
    source: 'greeter',
    version: '1.2',
    correlationId,
  })
  assert.deepEqual([row.topic, row.stream, row.key], ['people', 'people', '7'])
  assert.equal(it.outbox.unsent, 1)
})

test('a transaction that fails says nothing', async () => {
  await using it = await engineFixture()
  const failed = it.transaction(async ({ publish }) => {
    await publish('person.met', met('ada'))
    throw new Error('changed my mind')
  })
  await assert.rejects(failed, /changed my mind/)
  assert.deepEqual(await it.rows(), [])
  assert.equal(it.outbox.unsent, 0)
})

test('the relay is told after the commit, and only where something was said', async () => {
  await using it = await engineFixture()
  const told: number[] = []
  it.outbox.onCommitted(() => told.push(it.outbox.unsent))
  await it.transaction(async () => {})
  await it.transaction(async ({ publish }) => {
    await publish('person.met', met('ada'))
    await settle()
    assert.deepEqual(told, [])
  })
  assert.deepEqual(told, [1])
})

test('events stand in the outbox in the order in which they were published, not checked', async () => {
  await using it = await engineFixture()
  await it.transaction(async ({ publish }) => {
    await Promise.all([
      publish('person.met', met('slow ada')),
      publish('person.met', met('bob')),
      publish('person.left', { payload: { name: 'slow cyd' } }),
    ])
  })
  const names = (await it.rows()).map(({ event }) => event['payload'])
  assert.deepEqual(names, [{ name: 'slow ada' }, { name: 'bob' }, { name: 'slow cyd' }])
})

test('what is published and not awaited is said too', async () => {
  await using it = await engineFixture()
  await it.transaction(async ({ publish }) => void publish('person.met', met('slow ada')))
  assert.equal((await it.rows()).length, 1)
})

const unfit: readonly (readonly [title: string, name: string, body: unknown, issues: string[]])[] =
  [
    [
      'fields and payload that do not fit',
      'person.met',
      { personId: 'x', payload: { name: 'ADA' } },
      [
        'personId: Invalid input: expected number, received string',
        'payload.name: not in lower case',
      ],
    ],
    [
      'no payload',
      'person.left',
      {},
      ['payload: Invalid input: expected object, received undefined'],
    ],
    ['no body', 'person.left', 7, ['the body is no object']],
    [
      'a field that the envelope has',
      'person.met',
      { ...met('ada'), eventId: '1' },
      ['eventId: belongs to the envelope'],
    ],
    ['an unknown event', 'person.lost', {}, ['catalogue "people" has no such event']],
    [
      'a payload that is no JSON',
      'person.met',
      { personId: 1, payload: { name: 'ada', note: 1n } },
      ['it cannot be written as base-event-json: Do not know how to serialize a BigInt'],
    ],
    [
      'a payload that Kafka would refuse for its size',
      'person.met',
      { personId: 1, payload: { name: 'ada', note: 'x'.repeat(1_000_000) } },
      ['it takes 1000252 bytes, and the limit is 1000000'],
    ],
  ]

for (const [title, name, body, issues] of unfit) {
  test(`an event is refused for ${title}, and its transaction with it`, async () => {
    await using it = await engineFixture()
    const refused = it.transaction(async ({ publish }) => {
      await publish('person.left', { payload: { name: 'bob' } })
      await assert.rejects(publish(name, body), (error) => {
        assert(error instanceof MillraceError)
        assert.equal(error.code, 'event-invalid')
        assert.deepEqual(error.issues, issues)
        return true
      })
      // Its error was caught, but the data must not be committed without the event.
    })
    await assert.rejects(refused, hasCode('event-invalid'))
    assert.deepEqual(await it.rows(), [])
  })
}

test('an event that does not fit rolls back, though nobody awaited it', async () => {
  await using it = await engineFixture()
  const refused = it.transaction(async ({ publish }) => void publish('person.met', met('slow ADA')))
  await assert.rejects(refused, hasCode('event-invalid'))
})

test('fields and payload are what their schemas put out: nothing unknown reaches the wire', async () => {
  await using it = await engineFixture()
  await it.transaction(async ({ publish }) => {
    await publish('person.met', { ...met('ada'), secret: 1, payload: { name: 'ada', secret: 2 } })
  })
  assert.equal(JSON.stringify((await it.rows())[0]?.event).includes('secret'), false)
})

test('a publish after the end is refused', async () => {
  await using it = await engineFixture()
  const late = await it.transaction(
    async ({ publish }) =>
      () =>
        publish('person.met', met('ada')),
  )
  await assert.rejects(late(), hasCode('transaction-closed'))
  assert.deepEqual(await it.rows(), [])
})

test('all that a request causes has its correlation; without one a transaction begins its own', async () => {
  await using it = await engineFixture()
  const say = () =>
    it.transaction(async ({ publish }) => void (await publish('person.met', met('ada'))))
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await withCorrelation({ correlationId: 'request-1', causationId: null, traceparent }, say)
  await say()
  await say()
  await it.transaction(async ({ publish }) => void (await publish('person.met', met('ada'))), {
    correlationId: 'given',
    causationId: 'command-1',
  })
  const headers = (await it.rows()).map((row) => row.headers)
  assert.equal(headers[0]?.correlationId, 'request-1')
  assert.equal(headers[0].traceparent, traceparent)
  assert.notEqual(headers[1]?.correlationId, headers[2]?.correlationId)
  assert.deepEqual([headers[3]?.correlationId, headers[3]?.causationId], ['given', 'command-1'])
})
