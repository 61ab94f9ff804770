import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overdueMs, travel, trip } from '../../test/trip-process.ts'
import { settle } from '../../test/turns.ts'
import { MillraceError } from '../errors.ts'
import { silentLog } from '../log.ts'
import { ManualClock } from '../manual-clock.ts'
import { service } from '../service.ts'
import { startService } from '../start-service.ts'
import { openSqlite } from '../store/sqlite.ts'
import { openMemory } from '../transport/memory.ts'
import { MemoryCluster } from '../transport/memory-cluster.ts'
import { defineProcess } from './process-manager.ts'
import { readProcess } from './process-rows.ts'
import { timersTopic } from './timer-event.ts'

const agency = service('agency', { catalogue: travel }).process(trip)
type TripEvent = 'trip.asked' | 'flight.held' | 'hotel.held' | 'payment.made' | 'payment.failed'

/** The agency at work, with time moved by hand. */
async function fixture() {
  const clock = new ManualClock()
  const cluster = new MemoryCluster(clock)
  const store = await openSqlite({ file: ':memory:', owner: 'agency', migrations: {}, clock })
  const transport = openMemory(cluster, clock)
  const base = { env: {}, directory: '', clock, log: silentLog, announces: false }
  const running = await startService(agency, { ...base, store, transport })
  const pass = async (byMs: number) => {
    await settle()
    await clock.advance(byMs)
    await settle()
  }
  const heard = async () => {
    for (let turn = 0; turn < 20; turn += 1) await pass(200)
  }
  return {
    running,
    pass,
    heard,
    async tell(...names: readonly TripEvent[]) {
      for (const name of names) {
        const body = { payload: { tripId: '7' } }
        await running.transaction(({ publish }) => publish(name, body))
        await heard()
      }
    },
    process: () => readProcess(running.read, trip, '7'),
    said(topic: string) {
      return [0, 1, 2, 3].flatMap((partition) => cluster.read({ topic, partition }, 0n, 100))
    },
    async [Symbol.asyncDispose]() {
      const stopped = running.stop()
      await heard()
      await stopped
      cluster[Symbol.dispose]()
    },
  }
}

test('a process lives in its row from its first event to its end', async () => {
  await using at = await fixture()
  assert.equal(await at.process(), null)
  await at.tell('payment.made')
  assert.equal(await at.process(), null)
  await at.tell('trip.asked', 'flight.held', 'hotel.held')
  const process = await at.process()
  assert.equal(process?.status, 'running')
  assert.deepEqual(process.state, { next: 'payment' })
  assert.deepEqual(process.timers, ['payment overdue'])
  await at.tell('payment.made')
  assert.equal((await at.process())?.status, 'ended')
  assert.equal(at.said('trip.confirmed').length, 1)
})

test('a timer fires on the topic of its service, keyed by its process', async () => {
  await using at = await fixture()
  await at.tell('trip.asked', 'flight.held', 'hotel.held')
  await at.pass(overdueMs)
  await at.heard()
  const [timer, ...others] = at.said(timersTopic('agency'))
  assert.equal(others.length, 0)
  assert.equal(Buffer.from(timer?.key ?? []).toString(), 'trip/7')
  const process = await at.process()
  assert.equal(process?.status, 'compensating')
  assert.match(process.reason ?? '', /nobody paid by 2026-01-01T00:15/)
  assert.deepEqual(process.timers, [])
})

test('a timer that is cancelled never reaches its topic', async () => {
  await using at = await fixture()
  await at.tell('trip.asked', 'flight.held', 'hotel.held', 'payment.failed')
  await at.pass(overdueMs)
  await at.heard()
  assert.equal(at.said(timersTopic('agency')).length, 0)
})

test('what a process publishes knows the event that it decided on', async () => {
  await using at = await fixture()
  await at.running.transaction(
    ({ publish }) => publish('trip.asked', { payload: { tripId: '7' } }),
    { correlationId: 'holiday' },
  )
  await at.heard()
  const [asked] = at
    .said('trip.asked')
    .map(({ value }) => JSON.parse(String(Buffer.from(value ?? []))))
  const [next] = at
    .said('flight.asked')
    .map(({ value }) => JSON.parse(String(Buffer.from(value ?? []))))
  assert.equal(next.correlationId, 'holiday')
  assert.equal(next.causationId, asked.eventId)
  assert.equal((await at.process())?.correlationId, 'holiday')
})

test('an event that comes after the end is told what onLate says', async () => {
  await using at = await fixture()
  await at.tell('trip.asked', 'payment.failed', 'payment.made')
  assert.equal((await at.process())?.status, 'ended')
  assert.equal(at.said('payment.refund.asked').length, 1)
})

const base = { catalogue: travel, initial: () => ({}) }
const heardTwice = defineProcess('heard twice', base).on(
  'trip.asked',
  () => '7',
  () => ({ kind: 'ignore' }),
)

const refused: readonly (readonly [title: string, declare: () => unknown, message: RegExp])[] = [
  [
    'two processes of one name',
    () => agency.process(defineProcess('trip', base)),
    /process "trip" in service "agency" is there already/,
  ],
  [
    'a process for an event that has a handler',
    () => agency.process(heardTwice),
    /service "agency" has two handlers for "trip.asked"/,
  ],
  [
    'a timer without a rule',
    () => agency.process(defineProcess('late', { ...base, timers: ['a', 'b'] })),
    /process "late" in service "agency" has a timer "a" and no onTimer for it/,
  ],
]

for (const [title, declare, message] of refused) {
  test(`${title} is refused when the service is declared`, () => {
    assert.throws(declare, (error) => {
      assert(error instanceof MillraceError)
      assert.equal(error.code, 'definition-invalid')
      assert.match(error.message, message)
      return true
    })
  })
}
