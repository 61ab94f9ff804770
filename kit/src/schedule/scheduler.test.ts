import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineFixture } from '../../test/engine-fixture.ts'
import { settle } from '../../test/turns.ts'
import { MillraceError } from '../errors.ts'
import { soleInstance } from '../instances/instances.ts'
import { allSlots } from '../instances/slot.ts'
import {
  pruneEveryMs,
  scheduleAheadMsMax,
  scheduleFiredKeptMs,
  scheduleSweepMs,
} from '../limits.ts'
import { silentLog } from '../log.ts'
import { Outbox } from '../outbox/outbox.ts'
import { Scheduler, type SchedulerOptions } from './scheduler.ts'

const hourMs = 60 * 60 * 1000
const startMs = Date.UTC(2026, 0, 1)

async function fixture() {
  const engine = await engineFixture()
  const { store, outbox, clock } = engine
  const open = (options: Partial<SchedulerOptions> = {}) =>
    new Scheduler({ store, outbox, clock, log: silentLog, ...options })
  const scheduler = open()
  scheduler.start()
  return {
    ...engine,
    open,
    scheduler,
    async advance(byMs: number) {
      await settle()
      await clock.advance(byMs)
      await settle()
    },
    schedule: (name: string, afterMs: number, scheduleId?: string) =>
      engine.transaction(({ publish }) =>
        publish(
          'person.met',
          { personId: 1, payload: { name } },
          { afterMs, ...(scheduleId === undefined ? {} : { scheduleId }) },
        ),
      ),
    cancel: (scheduleId: string) => engine.transaction(({ cancel }) => cancel(scheduleId)),
    /** The names in the outbox, in the order of their rows. */
    said: async () =>
      (await engine.rows()).map(({ event }) => {
        const { payload } = event
        return typeof payload === 'object' && payload !== null && 'name' in payload
          ? payload.name
          : null
      }),
    async [Symbol.asyncDispose]() {
      await scheduler.stop()
      await engine[Symbol.asyncDispose]()
    },
  }
}

function hasCode(code: string, message: RegExp) {
  return (error: unknown) => {
    assert(error instanceof MillraceError)
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  }
}

test('an event for later is said at its time and not a millisecond earlier', async () => {
  await using at = await fixture()
  const eventId = await at.schedule('ada', hourMs)
  await at.advance(hourMs - 1)
  assert.deepEqual(await at.said(), [])
  await at.advance(1)
  const [row, ...others] = await at.rows()
  assert.equal(others.length, 0)
  assert.equal(row?.event_id, eventId)
  assert.equal(row.timestamp_ms, startMs + hourMs)
  assert.equal(row.event['timestamp'], '2026-01-01T01:00:00.000Z')
  assert.equal(row.headers.id, eventId)
  assert.equal(at.outbox.unsent, 1)
})

test('what is due a millisecond later waits for it, also behind one that is due', async () => {
  await using at = await fixture()
  await at.schedule('due', 10)
  await at.schedule('later', 11)
  await at.advance(10)
  assert.deepEqual(await at.said(), ['due'])
  await at.advance(1)
  assert.deepEqual(await at.said(), ['due', 'later'])
})

test('a time that is over means at once', async () => {
  await using at = await fixture()
  await at.transaction(({ publish }) =>
    publish('person.met', { personId: 1, payload: { name: 'ada' } }, { at: new Date(0) }),
  )
  await at.advance(0)
  assert.deepEqual(await at.said(), ['ada'])
})

test('what is due is said by its time, and of one time in the order of scheduling', async () => {
  await using at = await fixture()
  await at.scheduler.stop()
  await at.schedule('third', 20)
  await at.schedule('first', 10)
  await at.schedule('second', 10)
  await at.advance(20)
  await using _ = started(at.open())
  await at.advance(0)
  assert.deepEqual(await at.said(), ['first', 'second', 'third'])
})

test('a restart forgets nothing of what waits, and says nothing again', async () => {
  await using at = await fixture()
  await at.schedule('before', 10)
  await at.schedule('meanwhile', 20)
  await at.schedule('after', 40)
  await at.advance(10)
  await at.scheduler.stop()
  await at.advance(20)
  await using _ = started(at.open())
  await at.advance(0)
  assert.deepEqual(await at.said(), ['before', 'meanwhile'])
  await at.advance(10)
  assert.deepEqual(await at.said(), ['before', 'meanwhile', 'after'])
})

test('what fails between firing and the outbox fires at the next sweep, once', async () => {
  await using at = await fixture()
  await at.schedule('ada', 10)
  await at.scheduler.stop()
  await at.advance(10)
  class Failing extends Outbox {
    isDown = true
    override append(...args: Parameters<Outbox['append']>): Promise<void> {
      return this.isDown ? Promise.reject(new Error('down')) : super.append(...args)
    }
  }
  const outbox = new Failing(100)
  await using _ = started(at.open({ outbox }))
  await at.advance(0)
  assert.deepEqual(await at.said(), [])
  outbox.isDown = false
  await at.advance(scheduleSweepMs)
  assert.deepEqual(await at.said(), ['ada'])
  await at.advance(10 * scheduleSweepMs)
  assert.deepEqual(await at.said(), ['ada'])
})

test('what another process schedules is said a sweep later at most', async () => {
  await using at = await fixture()
  await at.advance(0)
  const elsewhere = new Outbox(100)
  await at.schedule('ada', 10)
  const { store } = at
  const row = await store.read.selectFrom('millrace_schedule').selectAll().executeTakeFirstOrThrow()
  await store.transaction('elsewhere', async (db) => {
    const { id: _, ...copy } = { ...row, schedule_id: 'copy', event_id: 'copy' }
    await db.insertInto('millrace_schedule').values(copy).execute()
  })
  elsewhere.schedule.committed(1)
  await at.advance(scheduleSweepMs)
  assert.deepEqual(await at.said(), ['ada', 'ada'])
})

test('two that fire at the same time fire each once', async () => {
  await using at = await fixture()
  await at.scheduler.stop()
  for (let n = 0; n < 150; n += 1) await at.schedule('ada', 10)
  await at.advance(10)
  await using _ = started(at.open())
  await using __ = started(at.open())
  for (let n = 0; n < 20; n += 1) await at.advance(1)
  assert.equal((await at.said()).length, 150)
})

test('an instance fires what is in its slots, and at once what is in those that it gains', async () => {
  await using at = await fixture()
  await at.scheduler.stop()
  await at.schedule('ada', 10)
  await at.advance(10)
  const { slot } = await at.store.read
    .selectFrom('millrace_schedule')
    .select('slot')
    .executeTakeFirstOrThrow()
  let owned = allSlots.filter((other) => other !== slot)
  const scheduler = at.open({ instances: { ...soleInstance, owned: () => owned } })
  await using _ = started(scheduler)
  await at.advance(2 * scheduleSweepMs)
  assert.deepEqual(await at.said(), [])
  owned = [slot]
  scheduler.gained()
  await at.advance(0)
  assert.deepEqual(await at.said(), ['ada'])
})

test('cancelled in time, cancelled too late, and never scheduled are told apart', async () => {
  await using at = await fixture()
  await at.schedule('kept', 10, 'kept')
  await at.schedule('dropped', 10, 'dropped')
  assert.deepEqual(await at.cancel('dropped'), { kind: 'cancelled' })
  assert.deepEqual(await at.cancel('dropped'), { kind: 'unknown' })
  await at.advance(10)
  assert.deepEqual(await at.cancel('kept'), { kind: 'fired' })
  assert.deepEqual(await at.cancel('never'), { kind: 'unknown' })
  assert.deepEqual(await at.said(), ['kept'])
  await at.advance(scheduleFiredKeptMs)
  await at.advance(pruneEveryMs)
  await at.advance(scheduleSweepMs)
  assert.deepEqual(await at.cancel('kept'), { kind: 'unknown' })
})

test('the id of the event cancels what was scheduled without an id of its own', async () => {
  await using at = await fixture()
  const eventId = await at.schedule('ada', 10)
  assert.deepEqual(await at.cancel(eventId), { kind: 'cancelled' })
})

test('scheduling an id again moves it, and anew once it has fired', async () => {
  await using at = await fixture()
  await at.schedule('early', 10, 'reminder')
  await at.schedule('late', 30, 'reminder')
  await at.advance(10)
  assert.deepEqual(await at.said(), [])
  await at.advance(20)
  assert.deepEqual(await at.said(), ['late'])
  await at.schedule('again', 10, 'reminder')
  await at.advance(10)
  assert.deepEqual(await at.said(), ['late', 'again'])
})

test('a rollback schedules nothing and cancels nothing', async () => {
  await using at = await fixture()
  await at.schedule('kept', 10, 'kept')
  const careless = at.transaction(async ({ publish, cancel }) => {
    const body = { personId: 1, payload: { name: 'ada' } }
    await publish('person.met', body, { afterMs: 10 })
    await cancel('kept')
    throw new Error('no')
  })
  await assert.rejects(careless, /no/)
  await at.advance(10)
  assert.deepEqual(await at.said(), ['kept'])
})

test('what a transaction schedules and cancels itself is never said', async () => {
  await using at = await fixture()
  await at.transaction(async ({ publish, cancel }) => {
    const body = { personId: 1, payload: { name: 'ada' } }
    const eventId = await publish('person.met', body, { afterMs: 10 })
    assert.deepEqual(await cancel(eventId), { kind: 'cancelled' })
  })
  await at.advance(10)
  assert.deepEqual(await at.said(), [])
})

test('what one transaction schedules it can cancel, and schedule again', async () => {
  await using at = await fixture()
  const outcome = await at.transaction(async ({ publish, cancel }) => {
    const say = (name: string) =>
      publish(
        'person.met',
        { personId: 1, payload: { name } },
        { afterMs: 10, scheduleId: 'reminder' },
      )
    await say('first')
    const cancelled = await cancel('reminder')
    await say('second')
    return cancelled
  })
  assert.deepEqual(outcome, { kind: 'cancelled' })
  await at.advance(10)
  assert.deepEqual(await at.said(), ['second'])
})

const refused: readonly (readonly [
  title: string,
  options: { at?: Date; afterMs?: number; scheduleId?: string },
  message: RegExp,
])[] = [
  ['two times', { at: new Date(0), afterMs: 1 }, /both `at` and `afterMs`/],
  ['an id without a time', { scheduleId: 'reminder' }, /has a scheduleId and no time/],
  ['an invalid Date', { at: new Date('tomorrow') }, /an invalid Date/],
  ['no number', { afterMs: Number.NaN }, /afterMs NaN/],
  ['a negative wait', { afterMs: -1 }, /after -1 ms/],
  ['a far future', { afterMs: scheduleAheadMsMax + 1 }, /in 3650 days, and the limit is 3650/],
  ['an empty id', { afterMs: 1, scheduleId: '' }, /a scheduleId of 0 characters/],
]

for (const [title, options, message] of refused) {
  test(`${title} is refused, and the transaction with it`, async () => {
    await using at = await fixture()
    const body = { personId: 1, payload: { name: 'ada' } }
    const published = at.transaction(({ publish }) => publish('person.met', body, options))
    await assert.rejects(published, hasCode('schedule-invalid', message))
  })
}

test('an event for later that does not fit its schema is refused when it is scheduled', async () => {
  await using at = await fixture()
  await assert.rejects(at.schedule('ADA', 10), hasCode('event-invalid', /not in lower case/))
})

function started(scheduler: Scheduler): AsyncDisposable {
  scheduler.start()
  return { [Symbol.asyncDispose]: () => scheduler.stop() }
}
