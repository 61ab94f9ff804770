import assert from 'node:assert/strict'
import { test } from 'node:test'
import { relayFixture } from '../../test/relay-fixture.ts'
import { ScriptedTransport } from '../../test/scripted-transport.ts'
import { holdKey } from './holds.ts'
import { routeRows } from './routing.ts'
import { unsentRows } from './unsent.ts'

test('of a backlog longer than a batch, the first come first, without those of held keys', async () => {
  await using it = await relayFixture({ transport: new ScriptedTransport(null) })
  const said = ['ada', 'bob', 'ada', 'cyd', 'bob', 'dan'].map((by) => ({ by, payload: by }))
  await it.say('said', ...said)
  await it.store.transaction('route', (db) => routeRows(db, 'said', 1))
  const place = { topic: 'said', partition: 0 }
  const keys = async (rowsMax: number, nowMs = 0) =>
    (await unsentRows(it.store.read, place, { nowMs, rowsMax })).map(({ key }) => key)
  assert.deepEqual(await keys(4), ['ada', 'bob', 'ada', 'cyd'])

  const [first] = await unsentRows(it.store.read, place, { nowMs: 0, rowsMax: 1 })
  assert(first !== undefined)
  const retryAtMs = await it.store.transaction('hold', (db) =>
    holdKey(db, { row: first, code: 'TOO_LARGE', message: 'too large', nowMs: 0 }),
  )
  assert.deepEqual(await keys(3), ['bob', 'cyd', 'bob'])
  assert.deepEqual(await keys(3, retryAtMs), ['ada', 'bob', 'ada'])
})

test('a row whose partition its writer did not know holds back its key until it has one', async () => {
  await using it = await relayFixture({ transport: new ScriptedTransport(null) })
  await it.say('said', ...['ada', 'ada', 'bob'].map((by) => ({ by, payload: by })))
  await it.store.transaction('all but the first', async (db) => {
    await routeRows(db, 'said', 1)
    await db.updateTable('millrace_outbox').set({ partition: null }).where('id', '=', 1).execute()
  })
  const place = { topic: 'said', partition: 0 }
  const keys = async () =>
    (await unsentRows(it.store.read, place, { nowMs: 0, rowsMax: 10 })).map(({ key }) => key)
  assert.deepEqual(await keys(), ['bob'])
  await it.store.transaction('route', (db) => routeRows(db, 'said', 1))
  assert.deepEqual(await keys(), ['ada', 'ada', 'bob'])
})
