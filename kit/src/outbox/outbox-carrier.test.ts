import assert from 'node:assert/strict'
import { test } from 'node:test'
import { relayFixture } from '../../test/relay-fixture.ts'
import { settle, until } from '../../test/turns.ts'
import { MillraceError } from '../errors.ts'
import { pruneEveryMs, relaySweepMs, sentRetentionMs } from '../limits.ts'
import { readOutboxCarrier } from './outbox-carrier.ts'

test('the relay carries the outbox unless Debezium is asked for, on PostgreSQL', () => {
  assert.equal(readOutboxCarrier({}, 'postgres'), 'relay')
  assert.equal(readOutboxCarrier({ OUTBOX_CARRIER: 'relay' }, 'sqlite'), 'relay')
  assert.equal(readOutboxCarrier({ OUTBOX_CARRIER: 'debezium' }, 'postgres'), 'debezium')
})

for (const [carrier, dialect] of [
  ['debezium', 'sqlite'],
  ['Debezium', 'postgres'],
] as const) {
  test(`"${carrier}" on ${dialect} is refused`, () => {
    assert.throws(
      () => readOutboxCarrier({ OUTBOX_CARRIER: carrier }, dialect),
      (error) => error instanceof MillraceError && error.code === 'config-invalid',
    )
  })
}

test('where Debezium carries it, nothing is sent, topics are made, and old rows are forgotten', async () => {
  await using it = await relayFixture({ carrier: 'debezium' })
  it.relay.start()
  await it.say('said', { by: 'ada', payload: 'a1' })
  await until('the topics are made', () => it.transport.topics().includes('said'))
  await settle()
  assert.deepEqual(it.transport.sends, [])
  const rows = () => it.store.read.selectFrom('millrace_outbox').select('id').execute()
  assert.equal((await rows()).length, 1)
  await it.clock.advance(sentRetentionMs + pruneEveryMs + relaySweepMs)
  await settle()
  assert.deepEqual(await rows(), [])
})
