import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineFixture } from '../test/engine-fixture.ts'

test('a handler whose time is over does nothing outside any more', async () => {
  await using it = await engineFixture()
  const over = new AbortController()
  const { context } = it.handling({ signal: over.signal })
  over.abort()
  let acts = 0
  const late = context.effect('mail', async () => {
    acts += 1
  })
  await assert.rejects(late, { code: 'transaction-closed' })
  assert.equal(acts, 0)
})

test('an effect that outlives its run is waited for by the next, not repeated', async () => {
  await using it = await engineFixture()
  const { promise: accepted, resolve: accept } = Promise.withResolvers<void>()
  let acts = 0
  const mail = async (): Promise<void> => {
    acts += 1
    await accepted
  }
  const first = it.handling().context.effect('mail', mail)
  const second = it.handling({ attempt: 2 }).context.effect('mail', mail)
  const forAnother = it.handling({ attempt: 2 }).context.effect('mail', 'bob', mail)
  accept()
  await Promise.all([first, second, forAnother])
  assert.equal(acts, 2)
})

test('an effect that fails while two runs wait for it fails both, and is tried again', async () => {
  await using it = await engineFixture()
  const fail = () => Promise.reject(new Error('no mail'))
  const runs = [1, 2].map((attempt) => it.handling({ attempt }).context.effect('mail', fail))
  for (const run of runs) await assert.rejects(run, /no mail/)
  let acts = 0
  await it.handling({ attempt: 3 }).context.effect('mail', async () => {
    acts += 1
  })
  assert.equal(acts, 1)
})

test('what was done beside an open transaction is refused, and still not repeated', async () => {
  await using it = await engineFixture()
  const handling = it.handling()
  let acts = 0
  const beside = handling.context.effect('mail', async () => {
    await handling.context.db.selectFrom('millrace_inbox').selectAll().execute()
    acts += 1
  })
  await assert.rejects(beside, { code: 'effect-in-transaction' })
  await handling.rollback()
  await it.handling({ attempt: 2 }).context.effect('mail', async () => {
    acts += 1
  })
  assert.equal(acts, 1)
})
