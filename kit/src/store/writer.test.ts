import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settle } from '../../test/turns.ts'
import { MillraceError } from '../errors.ts'
import { commitGroupMax, writerQueueMax } from '../limits.ts'
import { ManualClock } from '../manual-clock.ts'
import { Writer } from './writer.ts'

/** A connection that writes down what it is told, and fails where the test says so. */
class FakeConnection {
  isTransaction = false
  readonly log: string[] = []
  failOn: string | null = null

  execute(sql: string): void {
    this.log.push(sql)
    if (sql === this.failOn) {
      if (sql === 'commit') this.isTransaction = false
      throw new Error(`${sql} failed`)
    }
    if (sql === 'begin immediate') this.isTransaction = true
    if (sql === 'commit' || sql === 'rollback') this.isTransaction = false
  }

  count(sql: string): number {
    return this.log.filter((line) => line === sql).length
  }
}

function fixture() {
  const connection = new FakeConnection()
  const clock = new ManualClock()
  const writer = new Writer(connection, clock)
  const take = (name: string, lost: (error: Error) => void = () => {}) =>
    writer.take({ name, heldMsMax: 5_000, lost })
  return { connection, clock, writer, take }
}

test('turns that wait for each other share one commit, each in its savepoint', async () => {
  const { connection, take } = fixture()
  const kept = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const turn = await take(name)
      return { done: turn.keep() }
    }),
  )
  await Promise.all(kept.map(({ done }) => done))
  assert.deepEqual(connection.log, [
    'begin immediate',
    ...Array.from({ length: 3 }, () => ['savepoint turn', 'release turn']).flat(),
    'commit',
  ])
})

test('nothing is committed while a turn is held, and a kept one waits for it', async () => {
  const { connection, take } = fixture()
  const order: string[] = []
  const first = await take('first')
  const kept = first.keep().then(() => void order.push('first is on disk'))
  const second = await take('second') // before the commit of the first, which now must wait
  await settle()
  assert.equal(connection.count('commit'), 0)
  order.push('second ends')
  await Promise.all([second.keep(), kept])
  assert.deepEqual(order, ['second ends', 'first is on disk'])
  assert.equal(connection.count('commit'), 1)
})

test('a dropped turn undoes its savepoint and no other', async () => {
  const { connection, take } = fixture()
  const [first, second] = [await take('first').then((turn) => turn.keep()), take('second')]
  assert.equal(first, undefined)
  const turn = await second
  turn.drop()
  turn.drop() // the second time does nothing
  await settle()
  assert.deepEqual(connection.log.slice(-3), [
    'savepoint turn',
    'rollback to turn; release turn',
    'commit',
  ])
})

test('a commit that fails is told to every turn that it was for', async () => {
  const { connection, take } = fixture()
  connection.failOn = 'commit'
  const turns = [take('a'), take('b')]
  const outcomes = await Promise.allSettled(turns.map(async (turn) => (await turn).keep()))
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status === 'rejected' && String(outcome.reason)),
    ['Error: commit failed', 'Error: commit failed'],
  )
  connection.failOn = null
  await (await take('c')).keep()
})

test('a database that rolls back by itself takes the whole group with it, and says so', async () => {
  const { connection, take } = fixture()
  const [first, second] = [take('first'), take('second')]
  const kept = (await first).keep()
  const turn = await second
  connection.isTransaction = false // as SQLite does when the disk is full
  turn.drop()
  await assert.rejects(kept, (error) => error instanceof MillraceError && error.retriable)
})

for (const failing of ['release turn', 'rollback to turn; release turn']) {
  test(`where "${failing}" fails the group is lost and told, and the next turn begins`, async () => {
    const { connection, take } = fixture()
    connection.failOn = failing
    const [first, second] = [take('a'), take('b')]
    const kept = (await first).keep()
    const [outcome] = await Promise.allSettled([kept, second.then((turn) => turn.drop())])
    assert.equal(outcome.status, 'rejected')
    connection.failOn = null
    await (await take('c')).keep()
  })
}

test('a begin that fails is told to the one who asked, and the next one tries again', async () => {
  const { connection, take } = fixture()
  connection.failOn = 'begin immediate'
  await assert.rejects(take('a'), /begin immediate failed/)
  connection.failOn = null
  await (await take('b')).keep()
})

test('a group is committed when it is full, though others still wait', async () => {
  const { connection, take } = fixture()
  const held = await take('held')
  const waiting = Array.from({ length: commitGroupMax * 2 }, (_, number) => take(String(number)))
  const done = waiting.map(async (turn) => (await turn).keep())
  await held.keep()
  await Promise.all(done)
  assert.equal(connection.count('commit'), 3)
})

test('past its limit the queue refuses, and says that trying again makes sense', async () => {
  const { take } = fixture()
  await take('holder')
  for (let number = 0; number < writerQueueMax; number += 1) void take('waiting')
  await assert.rejects(take('one more'), (error) => {
    assert(error instanceof MillraceError)
    return error.code === 'store-busy' && error.retriable
  })
})

test('a turn held too long is dropped, told, and its late keep is refused', async () => {
  const { clock, take, connection } = fixture()
  const told: Error[] = []
  const turn = await take('slow', (error) => told.push(error))
  await clock.advance(5_000)
  assert.deepEqual([told.length, turn.isHeld], [1, false])
  assert(told[0] instanceof MillraceError)
  assert.equal(told[0].code, 'transaction-too-long')
  assert.equal(connection.count('rollback to turn; release turn'), 1)
  await assert.rejects(turn.keep(), /has ended/)
  assert.equal(clock.timers, 0)
})
