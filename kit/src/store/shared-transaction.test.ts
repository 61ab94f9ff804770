// H7: who is slow, by what each does while others wait for it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompiledQuery, type QueryResult } from 'kysely'
import { sharedAskingLooksMax, sharedHeldMsMax } from '../limits.ts'
import { ManualClock } from '../manual-clock.ts'
import { SharedTransaction } from './shared-transaction.ts'

function fixture() {
  const clock = new ManualClock()
  const slow: string[] = []
  let answer: () => void = () => {}
  const transaction = new SharedTransaction(
    {
      clock,
      connection: {
        run: async (sql) => sql.toUpperCase(),
        executeQuery<Row>() {
          const { promise, resolve } = Promise.withResolvers<QueryResult<Row>>()
          answer = () => resolve({ rows: [] })
          return promise
        },
      },
      worked() {},
      ended() {},
      shared: (kind, how) => void (how === 'slow' && slow.push(kind)),
    },
    60_000,
  )
  const join = (kind: string) =>
    transaction.join(kind, { name: kind, heldMsMax: 60_000, lost: () => {} })
  return { clock, slow, join, answer: () => answer() }
}

const query = CompiledQuery.raw('select 1')

test('one that asks nothing while others wait for it is slow', async () => {
  const { clock, slow, join } = fixture()
  const [idle, ready] = [join('idle'), join('ready')]
  const kept = ready.turn.keep()
  await clock.advance(sharedHeldMsMax - 1)
  assert.deepEqual(slow, [])
  await clock.advance(1)
  assert.deepEqual(slow, ['idle'])
  await Promise.all([idle.turn.keep(), kept])
  assert.equal(clock.timers, 0)
})

test('one that waits for the database is not slow, unless it waits for long', async () => {
  const { clock, slow, join, answer } = fixture()
  const [asking, ready] = [join('asking'), join('ready')]
  const asked = asking.connection.executeQuery(query)
  const kept = ready.turn.keep()
  await clock.advance(sharedHeldMsMax * (sharedAskingLooksMax - 1))
  assert.deepEqual(slow, [])
  await clock.advance(sharedHeldMsMax)
  assert.deepEqual(slow, ['asking'])
  answer()
  await asked
  await Promise.all([asking.turn.keep(), kept])
})
