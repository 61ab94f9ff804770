import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineCatalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import { excusesMax, probeDelayMsMax } from '../limits.ts'
import { ManualClock } from '../manual-clock.ts'
import type { Failure } from '../retry/failure.ts'
import type { Delivery } from './delivery.ts'
import { Lane } from './lane.ts'

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
    progress: { attempts: 0, signature: null, excuses: 0, excusedBy: 0, maybeRepeat: false },
  }
}

function lane(clock: Clock = new ManualClock()) {
  const opened: number[] = []
  const random = () => 0
  return { opened, it: new Lane({ clock, random, opened: () => opened.push(clock.nowMs()) }) }
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
  assert.equal(it.state.kind, 'closed')
})

test('what others disproved too often is no evidence any more, and counts', () => {
  const { it } = lane()
  const poison = delivery('a')
  poison.progress.excuses = excusesMax
  assert.equal(it.failed(poison, alike), 'counted')
  assert.equal(it.state.kind, 'closed')
  assert.equal(it.failed(poison, down), 'outage', 'a declared outage is believed')
})

test('an outage excuses an event once, however long it lasts', async () => {
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
