import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import { ManualClock } from '../manual-clock.ts'
import type { Failure } from '../retry/failure.ts'
import { excusesMax, probeDelayMsMax } from '../retry/limits.ts'
import { type Delivery, freshProgress } from './delivery.ts'
import { Lane, type LaneOptions } from './lane.ts'

const catalogue = defineCatalogue('test', {})
const down: Failure = { message: 'down', signature: 'down', isOutage: true, isFinal: false }
const alike: Failure = { ...down, isOutage: false }

function delivery(key: string): Delivery {
  const place = { topic: 't', partition: 0, offset: 0n, key: null, value: null, headers: [] }
  return {
    key,
    lane: 'l',
    subscription: {
      name: 'l',
      topic: 't',
      stream: 't',
      catalogue,
      options: {},
      concerns: () => true,
      handle: async () => undefined,
    },
    event: {
      eventId: key,
      eventType: 'l',
      timestamp: '',
      version: '1',
      source: null,
      correlationId: null,
      causationId: null,
      metadata: {},
      payload: {},
    },
    eventKey: key,
    traceparent: null,
    tracestate: null,
    heardAtMs: 0,
    record: { ...place, timestampMs: 0 },
    origin: { clusterId: 'c', topicId: 't' },
    source: { kind: 'live', done() {}, abandon() {}, isAbandoned: () => false },
    progress: freshProgress({ maybeRepeat: false }),
  }
}

function lane(clock: Clock = new ManualClock(), options: Partial<LaneOptions> = {}) {
  const opened: number[] = []
  const random = () => 0
  const told = () => opened.push(clock.nowMs())
  return { opened, it: new Lane({ clock, random, concurrency: 4, opened: told, ...options }) }
}

test('while an outage lasts one delivery at a time may run, when its time has come', async () => {
  const clock = new ManualClock()
  const { it, opened } = lane(clock)
  const [a, b] = [delivery('a'), delivery('b')]
  assert.equal(it.failed(a, down), 'outage')
  assert.equal(it.isOpen, false)
  await clock.advance(probeDelayMsMax)
  assert.equal(opened.length, 1)
  assert.equal(it.isOpen, true)
  it.begin(a)
  assert.equal(it.isOpen, false)
  it.end(a)
  assert.equal(it.isOpen, true, 'a probe without a verdict leaves its turn to another')
  it.begin(b)
  assert.equal(it.failed(b, down), 'outage')
  it.end(b)
  assert.equal(it.isOpen, false)
})

test('no more run at once than the subscription wants', () => {
  const { it } = lane(new ManualClock(), { concurrency: 2 })
  const [a, b] = [delivery('a'), delivery('b')]
  it.begin(a)
  assert.equal(it.isOpen, true)
  it.begin(b)
  assert.equal(it.isOpen, false)
  it.end(a)
  assert.equal(it.isOpen, true)
})

test('after an outage one more may run with each that is handled', async () => {
  const clock = new ManualClock()
  const { it } = lane(clock)
  it.failed(delivery('x'), down)
  await clock.advance(probeDelayMsMax)
  const runs = ['a', 'b', 'c', 'd', 'e'].map(delivery)
  const room: number[] = []
  for (const run of runs) {
    const begun: Delivery[] = []
    for (; it.isOpen; it.begin(begun.at(-1) ?? run)) begun.push(delivery(String(begun.length)))
    room.push(begun.length)
    for (const one of begun) it.end(one)
    it.begin(run)
    it.succeeded(run)
    it.end(run)
  }
  assert.deepEqual(room, [1, 2, 3, 4, 4])
  assert.equal(it.state.kind, 'closed')
})

test('what began before an outage says nothing of its end', async () => {
  const clock = new ManualClock()
  const { it } = lane(clock)
  const [early, late] = [delivery('early'), delivery('late')]
  it.begin(early)
  it.begin(late)
  it.failed(delivery('x'), down)
  await clock.advance(probeDelayMsMax)
  it.begin(delivery('probe'))
  assert.equal(it.isOpen, false)
  it.succeeded(early)
  assert.equal(it.state.kind, 'open')
  const { state } = it
  assert.equal(it.failed(late, alike, late), 'outage')
  assert.equal(it.state, state, 'it moves no probe')
})

test('a batch begins when it is full, or when the first has waited long enough', async () => {
  const clock = new ManualClock()
  const { it, opened } = lane(clock, { batch: { sizeMax: 3, waitMsMax: 100 } })
  assert.equal(it.isBatchReady(1), false)
  await clock.advance(60)
  assert.equal(it.isBatchReady(2), false)
  await clock.advance(40)
  assert.equal(opened.length, 1, 'the second did not make the first wait longer')
  assert.equal(it.isBatchReady(2), true)
  it.begin(delivery('a'))
  assert.equal(it.isBatchReady(2), false)
  assert.equal(it.isBatchReady(3), true)
})

test('a timer that fires a moment too early opens it all the same', async () => {
  let fire = (): void => {}
  const early: Clock = {
    nowMs: () => 0,
    after: (_delayMs, act) => {
      fire = act
      return { cancel() {} }
    },
  }
  const { it } = lane(early)
  it.failed(delivery('a'), down)
  fire()
  assert.equal(it.isOpen, true)
})

test('only the probe’s success ends an outage', async () => {
  const clock = new ManualClock()
  const { it } = lane(clock)
  const [probe, bystander] = [delivery('a'), delivery('b')]
  it.failed(probe, down)
  it.succeeded(bystander)
  assert.equal(it.state.kind, 'open')
  await clock.advance(probeDelayMsMax)
  it.begin(probe)
  it.succeeded(probe)
  assert.equal(it.state.kind, 'ramping')
})

test('what others disproved too often is no evidence any more, and counts', () => {
  const { it } = lane()
  const poison = delivery('a')
  poison.progress.excuses = excusesMax
  assert.equal(it.failed(poison, alike), 'counted')
  assert.equal(it.state.kind, 'closed')
  assert.equal(it.failed(poison, down), 'outage', 'a declared outage is believed')
})

test('an outage excuses an event once as long as nothing else is handled', async () => {
  const clock = new ManualClock()
  const { it } = lane(clock)
  const [poison, other] = [delivery('a'), delivery('b')]
  it.failed(poison, down)
  for (let probe = 0; probe < 2 * excusesMax; probe += 1) {
    await clock.advance(probeDelayMsMax)
    it.begin(poison)
    assert.equal(it.failed(poison, alike), 'outage')
    it.end(poison)
  }
  assert.equal(poison.progress.excuses, 1)
  await clock.advance(probeDelayMsMax)
  it.begin(other)
  it.succeeded(other)
  it.end(other)
  it.failed(poison, down)
  assert.equal(poison.progress.excuses, 2)
})

test('what fails after a stop waits for no probe', () => {
  const clock = new ManualClock()
  const { it } = lane(clock)
  it.stop()
  it.failed(delivery('a'), down)
  assert.equal(clock.timers, 0)
})
