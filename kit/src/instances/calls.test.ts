import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callEveryMs, callPlacesMax } from '../limits.ts'
import { ManualClock } from '../manual-clock.ts'
import { Calls, readCalls } from './calls.ts'
import type { Call } from './instances.ts'

const rowsOn = (topic: string, partition: number | null): Call => ({
  kind: 'outbox',
  places: [{ topic, partition }],
})

test('the first call goes out at once, and all that follow soon go out as one', async () => {
  const clock = new ManualClock()
  const sent: string[] = []
  const calls = new Calls(clock, (payload) => sent.push(payload))
  calls.add(rowsOn('said', 0))
  assert.equal(sent.length, 1)
  for (let time = 0; time < 100; time += 1) calls.add(rowsOn('said', time % 2))
  calls.add({ kind: 'letters' })
  assert.equal(sent.length, 1)
  await clock.advance(callEveryMs)
  assert.equal(sent.length, 2)
  assert.deepEqual(readCalls(sent[1] ?? ''), [
    {
      kind: 'outbox',
      places: [
        { topic: 'said', partition: 0 },
        { topic: 'said', partition: 1 },
      ],
    },
    { kind: 'letters' },
  ])
  await clock.advance(10 * callEveryMs)
  assert.equal(sent.length, 2)
  assert.equal(clock.timers, 0)
})

test('a place that is not known yet goes through as such', () => {
  const sent: string[] = []
  new Calls(new ManualClock(), (payload) => sent.push(payload)).add(rowsOn('said', null))
  assert.deepEqual(readCalls(sent[0] ?? ''), [rowsOn('said', null)])
})

test('more places than one message names are a call to look everywhere', async () => {
  const clock = new ManualClock()
  const sent: string[] = []
  const calls = new Calls(clock, (payload) => sent.push(payload))
  calls.add({ kind: 'letters' })
  for (let number = 0; number <= callPlacesMax; number += 1) calls.add(rowsOn('said', number))
  await clock.advance(callEveryMs)
  assert.deepEqual(readCalls(sent[1] ?? ''), [{ kind: 'outbox', places: [] }])
})

test('topics with the longest names fit, by being looked for everywhere', async () => {
  const clock = new ManualClock()
  const sent: string[] = []
  const calls = new Calls(clock, (payload) => sent.push(payload))
  calls.add({ kind: 'letters' })
  const topic = 't'.repeat(249)
  for (let number = 0; number < callPlacesMax; number += 1) calls.add(rowsOn(topic, number))
  calls.add({ kind: 'letters' })
  await clock.advance(callEveryMs)
  const [, payload = ''] = sent
  assert.ok(Buffer.byteLength(payload) < 8_000, `${payload.length} bytes`)
  assert.deepEqual(readCalls(payload), [{ kind: 'outbox', places: [] }, { kind: 'letters' }])
})

for (const payload of ['', 'x', '[]', '{"outbox":1}', '{"letters":"yes"}', '{"later":true}']) {
  test(`of "${payload}" nothing is understood, and nothing breaks`, () => {
    assert.deepEqual(readCalls(payload), [])
  })
}
