import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type OrderCommand, orderAggregate, stateFixture } from '../../test/state-fixture.ts'
import { MillraceError } from '../errors.ts'
import { aggregateEventsLoadedMax } from '../limits.ts'
import { readAggregate, readStream } from './stream.ts'

const place = { kind: 'place', cents: 500 } as const
const pay = { kind: 'pay' } as const
const note = { kind: 'note', text: 'hello' } as const

const order = orderAggregate()

function hasCode(code: string, message: RegExp) {
  return (error: unknown) => {
    assert(error instanceof MillraceError)
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  }
}

test('what a command decides is stored, published and read again', async () => {
  await using at = await stateFixture()
  const outcome = await at.command(order, '1', place)
  assert.deepEqual(outcome, {
    kind: 'accepted',
    version: 1,
    state: { id: '1', status: 'placed', cents: 500, notes: 0 },
    events: [{ type: 'placed', cents: 500 }],
  })
  await at.command(order, '1', pay)
  const read = await readAggregate(at.store.read, { aggregate: order, id: '1' })
  assert.deepEqual(read, {
    version: 2,
    state: { id: '1', status: 'paid', cents: 500, notes: 0 },
  })
  assert.deepEqual(await at.said(), [
    { name: 'order.placed', payload: { orderId: '1', cents: 500 } },
  ])
})

test('a rejection stores nothing, and what else the transaction did is its own', async () => {
  await using at = await stateFixture()
  const outcome = await at.transaction(async ({ aggregate, publish }) => {
    const rejected = await aggregate(order, '1').handle(pay)
    await publish('order.placed', { payload: { orderId: 'other', cents: 1 } })
    return rejected
  })
  assert.deepEqual(outcome, { kind: 'rejected', reason: 'not-placed', version: 0 })
  const read = await readAggregate(at.store.read, { aggregate: order, id: '1' })
  assert.equal(read.version, 0)
  assert.equal((await at.said()).length, 1)
})

const expectations: readonly (readonly [
  title: string,
  expectedVersion: number,
  outcome: { readonly kind: string; readonly version: number },
])[] = [
  ['its own version', 1, { kind: 'accepted', version: 2 }],
  ['an older version', 0, { kind: 'conflict', version: 1 }],
  ['a version that is yet to come', 2, { kind: 'conflict', version: 1 }],
]

for (const [title, expectedVersion, expected] of expectations) {
  test(`a command for ${title} ends as ${expected.kind}`, async () => {
    await using at = await stateFixture()
    await at.command(order, '1', place)
    const { kind, version } = await at.command(order, '1', note, { expectedVersion })
    assert.deepEqual({ kind, version }, expected)
  })
}

test('of two commands at once in one transaction the second decides on what the first left', async () => {
  await using at = await stateFixture()
  const outcomes = await at.transaction(({ aggregate }) =>
    Promise.all([place, place].map((command) => aggregate(order, '1').handle(command))),
  )
  assert.deepEqual(
    outcomes.map(({ kind, version }) => ({ kind, version })),
    [
      { kind: 'accepted', version: 1 },
      { kind: 'rejected', version: 1 },
    ],
  )
})

test('a crash between the decision and the commit leaves nothing behind', async () => {
  await using at = await stateFixture()
  const crashed = at.transaction(async ({ aggregate }) => {
    await aggregate(order, '1').handle(place)
    throw new Error('crash')
  })
  await assert.rejects(crashed, /crash/)
  assert.deepEqual(await readStream(at.store.read, { aggregate: order, id: '1' }), [])
  assert.deepEqual(await at.said(), [])
  assert.equal((await at.command(order, '1', place)).version, 1)
})

test('an event knows who caused it', async () => {
  await using at = await stateFixture()
  await at.transaction(({ aggregate }) => aggregate(order, '1').handle(place), {
    correlationId: 'checkout',
    causationId: 'click',
  })
  const [stored, ...others] = await readStream(at.store.read, { aggregate: order, id: '1' })
  assert.equal(others.length, 0)
  assert.equal(stored?.correlationId, 'checkout')
  assert.equal(stored.causationId, 'click')
  assert.equal(stored.recordedAtMs, at.clock.nowMs())
})

test('a stream is read forward, from where one was, as far as one wants', async () => {
  await using at = await stateFixture()
  await at.command(order, '1', place)
  for (let n = 0; n < 5; n += 1) await at.command(order, '1', note)
  const stream = { aggregate: order, id: '1' }
  const some = await readStream(at.store.read, stream, { afterVersion: 2, limit: 2 })
  assert.deepEqual(
    some.map(({ version, event }) => ({ version, type: event.type })),
    [
      { version: 3, type: 'noted' },
      { version: 4, type: 'noted' },
    ],
  )
})

test('a snapshot is read in place of the events before it, and not after its shape changed', async () => {
  await using at = await stateFixture()
  const evolved: string[] = []
  const withSnapshots = (version: number) =>
    orderAggregate({
      snapshot: { every: 3, version },
      evolved: (type) => evolved.push(type),
    })
  const first = withSnapshots(1)
  for (const command of [place, note, note, note] satisfies OrderCommand[]) {
    await at.command(first, '1', command)
  }
  evolved.length = 0
  const read = await readAggregate(at.store.read, { aggregate: first, id: '1' })
  assert.deepEqual(evolved, ['noted'])
  assert.equal(read.version, 4)
  evolved.length = 0
  assert.deepEqual(
    await readAggregate(at.store.read, { aggregate: withSnapshots(2), id: '1' }),
    read,
  )
  assert.equal(evolved.length, 4)
})

test('events of an older schema are made new, or told by name', async () => {
  await using at = await stateFixture()
  await at.command(order, '1', place)
  const stream = (aggregate: typeof order) => readAggregate(at.store.read, { aggregate, id: '1' })
  const upcast = orderAggregate({
    schemaVersion: 2,
    upcast: ({ type, schemaVersion }) => {
      assert.deepEqual({ type, schemaVersion }, { type: 'placed', schemaVersion: 1 })
      return { type: 'placed', cents: 700 }
    },
  })
  assert.equal((await stream(upcast)).state.cents, 700)
  await assert.rejects(
    stream(orderAggregate({ schemaVersion: 2 })),
    hasCode('aggregate-unreadable', /"placed" of schema version 1, and is at 2; give it an upcast/),
  )
})

test('a stream that somebody cut is refused, not misread', async () => {
  await using at = await stateFixture()
  for (const command of [place, note, pay]) await at.command(order, '1', command)
  await at.store.transaction('cut', async (db) => {
    await db.deleteFrom('millrace_aggregate_events').where('version', '=', 2).execute()
  })
  await assert.rejects(
    readAggregate(at.store.read, { aggregate: order, id: '1' }),
    hasCode('aggregate-unreadable', /"order" 1: its event 2 is missing/),
  )
})

const unkeepable: readonly (readonly [title: string, more: unknown, message: RegExp])[] = [
  ['a Date', { at: new Date(0) }, /more\.at is a Date/],
  ['a Map', new Map(), /more is a Map/],
  ['no number', [Number.NaN], /more\.0 is NaN/],
  ['a function', () => {}, /more is a function/],
  ['a bigint', 1n, /more is a bigint/],
]

for (const [title, more, message] of unkeepable) {
  test(`an event that holds ${title} is refused, because it would come back as another`, async () => {
    await using at = await stateFixture()
    await assert.rejects(
      at.command(order, '1', { kind: 'place', cents: 1, more }),
      hasCode('state-invalid', message),
    )
  })
}

test('a stream that is too long to be read for each command says what to do', async () => {
  await using at = await stateFixture()
  const { store } = at
  await at.command(order, '1', place)
  const { read } = store
  const [row] = await read.selectFrom('millrace_aggregate_events').selectAll().execute()
  assert(row !== undefined)
  const rows = Array.from({ length: aggregateEventsLoadedMax }, (_, index) => ({
    ...row,
    version: index + 2,
    event_id: `event-${index}`,
  }))
  await store.transaction('many', async (db) => {
    for (let from = 0; from < rows.length; from += 500) {
      const part = rows.slice(from, from + 500)
      await db.insertInto('millrace_aggregate_events').values(part).execute()
    }
  })
  await assert.rejects(
    at.command(order, '1', note),
    hasCode('aggregate-too-long', /more than 10000 events since its last snapshot/),
  )
})

test('an aggregate whose snapshots make no sense is refused when it is declared', () => {
  assert.throws(
    () => orderAggregate({ snapshot: { every: 0 } }),
    hasCode('definition-invalid', /snapshot\.every is 0/),
  )
})
