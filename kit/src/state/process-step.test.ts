import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { overdueMs, trip } from '../../test/trip-process.ts'
import { MillraceError } from '../errors.ts'
import { decisionItemsMax } from '../limits.ts'
import { defineProcess } from './process-manager.ts'
import {
  newInstance,
  type ProcessInput,
  type ProcessInstance,
  type ProcessOutcome,
  stepProcess,
} from './process-step.ts'

const nowMs = Date.UTC(2026, 0, 1)

const heard = (eventType: string): ProcessInput => ({
  kind: 'event',
  event: {
    eventId: 'event-1',
    eventType,
    timestamp: '2026-01-01T00:00:00.000Z',
    version: '1.0',
    source: null,
    correlationId: null,
    causationId: null,
    metadata: {},
    payload: { tripId: '7' },
  },
})

const fired = (setting: number): ProcessInput => ({
  kind: 'timer',
  timer: { name: 'payment overdue', data: null, dueAtMs: nowMs },
  setting,
})

/** A process after these inputs, and what the last of them did. */
function after(...inputs: readonly (string | ProcessInput)[]) {
  let instance: ProcessInstance = newInstance(trip, '7')
  let last: ProcessOutcome = { kind: 'ignored' }
  for (const input of inputs) {
    const given = typeof input === 'string' ? heard(input) : input
    last = stepProcess(trip, instance, { input: given, nowMs })
    if (last.kind === 'changed') instance = last.instance
  }
  const effects = last.kind === 'changed' ? last : { publish: [], set: [], cancel: [] }
  return {
    instance,
    kind: last.kind,
    published: effects.publish.map(({ name }) => name),
    set: effects.set,
    cancelled: effects.cancel,
    steps: instance.steps.map(({ step, progress }) => `${step} ${progress}`),
  }
}

const paying = ['trip.asked', 'flight.held', 'hotel.held'] as const

test('a decision changes the state, says events, sets a timer and records a step', () => {
  const { instance, published, set, steps } = after(...paying)
  assert.deepEqual(instance.state, { next: 'payment' })
  assert.equal(instance.status, 'running')
  assert.deepEqual(published, ['payment.asked'])
  const data = { from: 'hotel' }
  assert.deepEqual(set, [{ name: 'payment overdue', setting: 1, dueAtMs: nowMs + overdueMs, data }])
  assert.deepEqual(steps, ['flight done', 'hotel done'])
})

test('an end cancels the timers that are set, and nothing is heard after it', () => {
  const ended = after(...paying, 'payment.made')
  assert.equal(ended.instance.status, 'ended')
  assert.deepEqual(ended.published, ['trip.confirmed'])
  assert.deepEqual(ended.cancelled, ['payment overdue'])
  assert.equal(after(...paying, 'payment.made', 'hotel.held').kind, 'ignored')
  assert.equal(after(...paying, 'payment.made', fired(1)).kind, 'ignored')
})

test('an event that is ignored by a process that was not there begins none', () => {
  assert.equal(after('payment.made').kind, 'ignored')
})

test('steps are undone from the last, and none before the one after it is known to be undone', () => {
  const failed = after(...paying, 'payment.failed')
  // The hotel's release is not waited for; the flight's is.
  assert.deepEqual(failed.published, ['hotel.release.asked', 'flight.release.asked'])
  assert.deepEqual(failed.steps, ['flight undoing', 'hotel undone'])
  assert.equal(failed.instance.status, 'compensating')
  assert.equal(failed.instance.reason, 'the payment failed')
  const released = after(...paying, 'payment.failed', 'flight.released')
  assert.deepEqual(released.published, ['trip.failed'])
  assert.equal(released.instance.status, 'ended')
})

test('a compensation is not said again, however often its reason comes', () => {
  const { published, steps } = after(...paying, 'payment.failed', 'payment.failed')
  assert.deepEqual(published, [])
  assert.deepEqual(steps, ['flight undoing', 'hotel undone'])
})

test('with nothing to undo the process ends at once', () => {
  const { instance, published } = after('trip.asked', 'payment.failed')
  assert.deepEqual(published, ['trip.failed'])
  assert.equal(instance.status, 'ended')
})

test('a step that is done while the process compensates is undone at once', () => {
  const { published, steps } = after('trip.asked', 'flight.held', 'payment.failed', 'hotel.held')
  assert.deepEqual(published, ['payment.asked', 'hotel.release.asked'])
  assert.deepEqual(steps, ['flight undoing', 'hotel undone'])
})

test('a step that is told twice is one step', () => {
  assert.deepEqual(after('trip.asked', 'flight.held', 'flight.held').steps, ['flight done'])
})

test('a timer fires once, and only the setting that is set', () => {
  const overdue = after(...paying, fired(1))
  assert.equal(overdue.instance.status, 'compensating')
  assert.equal(overdue.instance.reason, 'nobody paid by 2026-01-01T00:00:00.000Z')
  assert.equal(after(...paying, fired(1), fired(1)).kind, 'ignored')
  assert.equal(after(...paying, 'hotel.held', fired(1)).kind, 'ignored')
  assert.equal(after(...paying, 'hotel.held', fired(2)).instance.status, 'compensating')
  assert.equal(after(...paying, 'payment.failed', fired(1)).kind, 'ignored')
})

test('an event that is late says what onLate says, and changes nothing', () => {
  const ended = after('trip.asked', 'payment.failed')
  const late = after('trip.asked', 'payment.failed', 'payment.made')
  assert.deepEqual(late.published, ['payment.refund.asked'])
  assert.deepEqual(late.instance, ended.instance)
})

test('whatever comes in whatever order, each step is undone at most once, and in the end all are', () => {
  const names = ['trip.asked', 'flight.held', 'hotel.held', 'payment.failed', 'flight.released']
  const inputs = fc.array(fc.oneof(fc.constantFrom(...names), fc.constant(fired(1))), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(inputs, (given) => {
      const said: string[] = []
      let instance = newInstance(trip, '7')
      for (const input of given) {
        const outcome = stepProcess(trip, instance, {
          input: typeof input === 'string' ? heard(input) : input,
          nowMs,
        })
        if (outcome.kind === 'ignored') continue
        instance = outcome.instance
        said.push(...outcome.publish.map(({ name }) => name))
      }
      const times = (name: string) => said.filter((other) => other === name).length
      assert(times('hotel.release.asked') <= 1)
      assert(times('flight.release.asked') <= 1)
      assert(times('trip.failed') <= 1)
      if (times('trip.failed') === 1) {
        assert.equal(instance.status, 'ended')
        assert.deepEqual(instance.timers, {})
        assert(instance.steps.every(({ progress }) => progress === 'undone'))
      }
    }),
  )
})

test('what onLate remembers keeps it from saying the same again', () => {
  const manager = defineProcess('refund', {
    catalogue: trip.catalogue,
    initial: () => ({ refunds: 0 }),
  })
    .on(
      'payment.made',
      () => '7',
      () => ({ kind: 'end' }),
    )
    .onLate('payment.made', ({ refunds }) =>
      refunds > 0
        ? {}
        : {
            state: { refunds: 1 },
            publish: [{ name: 'payment.refund.asked', body: { payload: { tripId: '7' } } }],
          },
    )
  let instance = newInstance(manager, '7')
  const said = [0, 1, 2].map(() => {
    const outcome = stepProcess(manager, instance, { input: heard('payment.made'), nowMs })
    if (outcome.kind === 'changed') instance = outcome.instance
    return outcome.kind === 'changed' ? outcome.publish.length : 0
  })
  assert.deepEqual(said, [0, 1, 0])
  assert.equal(instance.status, 'ended')
})

const careless = defineProcess('careless', {
  catalogue: trip.catalogue,
  initial: () => ({}),
  timers: ['unheard'],
})

const refused: readonly (readonly [
  title: string,
  manager: typeof careless,
  code: string,
  message: RegExp,
])[] = [
  [
    'a timer that nobody hears',
    careless.on(
      'trip.asked',
      () => '7',
      () => ({ kind: 'continue', timers: [{ name: 'unheard', afterMs: 1 }] }),
    ),
    'definition-invalid',
    /timer "unheard" of process "careless" has no onTimer/,
  ],
  [
    'a timer that is never due',
    careless
      .onTimer('unheard', () => ({ kind: 'ignore' }))
      .on(
        'trip.asked',
        () => '7',
        () => ({ kind: 'continue', timers: [{ name: 'unheard', afterMs: Number.NaN }] }),
      ),
    'schedule-invalid',
    /timer "unheard" of process "careless" is due at afterMs NaN/,
  ],
  [
    'too much at once',
    careless.on(
      'trip.asked',
      () => '7',
      () => ({
        kind: 'continue',
        publish: Array.from({ length: decisionItemsMax + 1 }, () => ({
          name: 'trip.failed' as const,
          body: { payload: { tripId: '7' } },
        })),
      }),
    ),
    'state-invalid',
    /decided on 1001 events, timers and steps at once/,
  ],
]

for (const [title, manager, code, message] of refused) {
  test(`a decision for ${title} is refused`, () => {
    const step = () =>
      stepProcess(manager, newInstance(manager, '7'), { input: heard('trip.asked'), nowMs })
    assert.throws(step, (error) => {
      assert(error instanceof MillraceError)
      assert.equal(error.code, code)
      assert.match(error.message, message)
      return true
    })
  })
}
