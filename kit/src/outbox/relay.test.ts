import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { relayFixture } from '../../test/relay-fixture.ts'
import { ScriptedTransport, type SendScript } from '../../test/scripted-transport.ts'
import { settle, until } from '../../test/turns.ts'
import { controlTopics } from '../control/control-topics.ts'
import { MillraceError } from '../errors.ts'
import { relaySweepMs, topicsFreshMs } from '../limits.ts'
import { heldKeys } from './holds.ts'
import { keyHash, partitionOf } from './partitioner.ts'

const by = (name: string, payload: string) => ({ by: name, payload })
const unavailable = { kind: 'unavailable', code: 'GONE', message: 'gone' } as const
const tooLarge = { kind: 'refused', code: 'TOO_LARGE', message: 'too large' } as const

test('an event is on its topic after its commit, nudged and without a sweep', async () => {
  await using it = await relayFixture()
  it.relay.start()
  await settle()
  await it.say('said', by('ada', 'a1'))
  await until('a1 is sent', () => it.transport.valuesOn('said').includes('a1'))
  await until('it is marked', () => it.outbox.unsent === 0)
})

test("the catalogue's topics and the control topics are made as soon as Kafka answers", async () => {
  await using it = await relayFixture({ transport: new ScriptedTransport(null) })
  it.relay.start()
  await settle()
  assert.deepEqual(it.relay.cluster, { kind: 'away', reason: 'no Kafka answers' })
  it.transport.clusterId = 'cluster-1'
  await it.clock.advance(relaySweepMs)
  await until('they are made', () => it.transport.topics().length === 3 + controlTopics.length)
  assert.equal(it.relay.cluster.kind, 'met')
})

test('events of one key keep the order of their transactions, whatever fails on the way', async () => {
  await using it = await relayFixture()
  let call = 0
  it.transport.script = (_place, _records, append) => {
    call += 1
    if (call % 3 === 1) return unavailable // it never arrived
    if (call % 3 === 2) {
      append() // it arrived, but nobody was told
      return unavailable
    }
    return { kind: 'sent', baseOffset: append() }
  }
  it.relay.start()
  for (let number = 0; number < 30; number += 1) {
    await it.say('said', by('ada', `a${number}`), by('bob', `b${number}`))
    if (number % 7 === 0) await it.clock.advance(1_000)
  }
  for (let round = 0; round < 60 && it.outbox.unsent > 0; round += 1) {
    await it.clock.advance(10_000)
    await settle()
  }
  const values = it.transport.valuesOn('said')
  const numbers = Array.from({ length: 30 }, (_, number) => number)
  assert.deepEqual(
    values.filter((value) => value.startsWith('a')),
    numbers.map((n) => `a${n}`),
  )
  assert.deepEqual(
    values.filter((value) => value.startsWith('b')),
    numbers.map((n) => `b${n}`),
  )
  assert.equal(it.transport.inFlightMax, 1) // R2
})

test('a partition stops at its first error while another goes on', async () => {
  await using it = await relayFixture()
  const adas = partitionOf(keyHash('ada'), 2)
  it.transport.script = ({ partition }, _records, append) =>
    partition === adas ? unavailable : { kind: 'sent', baseOffset: append() }
  it.relay.start()
  await it.say('said', by('ada', 'a1'), by('bob', 'b1'), by('ada', 'a2'))
  await it.say('said', by('bob', 'b2'))
  await until('bob is heard', () => it.transport.valuesOn('said').includes('b2'))
  await settle()
  assert.deepEqual(it.transport.valuesOn('said'), ['b1', 'b2'])
  const tried = it.transport.sends.filter((send) => send.startsWith(`said/${adas}:`))
  assert.deepEqual(tried, [`said/${adas}: a1 a2`])
  assert.equal(it.outbox.unsent, 2)
})

test('a refused event holds back its own key, on every topic of its stream, and no other', async () => {
  await using it = await relayFixture()
  let isMended = false
  const refuseLong: SendScript = (_place, records, append) =>
    !isMended && records.some(({ value }) => (value?.length ?? 0) > 600)
      ? tooLarge
      : { kind: 'sent', baseOffset: append() }
  it.transport.script = refuseLong
  const long = `a2${'!'.repeat(600)}`
  it.relay.start()
  await it.say('said', by('ada', 'a1'), by('ada', long), by('bob', 'b1'), by('cyd', 'c1'))
  await until('the refused one is alone', () => it.outbox.unsent === 1)
  await it.say('asked', by('ada', 'a3?'), by('bob', 'b2?'))
  await it.say('said', by('ada', 'a4'), by('bob', 'b3'))
  const sent = () => [...it.transport.valuesOn('said'), ...it.transport.valuesOn('asked')].sort()
  await until('the others are sent', () => it.outbox.unsent === 3)
  assert.deepEqual(sent(), ['a1', 'b1', 'b2?', 'b3', 'c1'])
  const [held] = await heldKeys(it.store.read, 10)
  assert.deepEqual([held?.key, held?.code, held?.attempts], ['ada', 'TOO_LARGE', 1])

  isMended = true
  await it.clock.advance(6_000)
  await until('the held ones follow', () => it.outbox.unsent === 0)
  const adas = it.transport.valuesOn('said').filter((value) => value.startsWith('a'))
  assert.deepEqual(adas, ['a1', long, 'a4'])
  assert.deepEqual(await heldKeys(it.store.read, 10), [])
})

test('a refused event without a key holds back nothing', async () => {
  await using it = await relayFixture()
  it.transport.script = (_place, records, append) =>
    records.some(({ value }) => String(value).includes('bad') || (value?.length ?? 0) > 600)
      ? tooLarge
      : { kind: 'sent', baseOffset: append() }
  const bad = 'x'.repeat(600)
  await it.say('noise', ...['n1', bad, 'n2', 'n3'].map((payload) => ({ payload })))
  it.relay.start()
  await until('the others are sent', () => it.outbox.unsent === 1)
  assert.deepEqual(it.transport.valuesOn('noise').sort(), ['n1', 'n2', 'n3'])
})

test('a crash between the send and its mark leaves each event on its topic once', async () => {
  const first = await relayFixture()
  const { directory, transport, clock } = first
  first.relay.start()
  await first.say('said', by('ada', 'a0'))
  await until('a0 is marked', () => first.outbox.unsent === 0)
  transport.script = (_place, _records, append) => {
    append()
    return new Promise(() => {}) // acknowledged, but the process dies before it hears of it
  }
  await first.say('said', by('ada', 'a1'), by('ada', 'a2'))
  await until('a2 arrived', () => transport.valuesOn('said').includes('a2'))
  await first.store[Symbol.asyncDispose]()

  transport.script = (_place, _records, append) => ({ kind: 'sent', baseOffset: append() })
  await using second = await relayFixture({ directory, transport, clock })
  assert.equal(second.outbox.unsent, 2)
  await second.say('said', by('ada', 'a3'))
  second.relay.start()
  await until('all is marked', () => second.outbox.unsent === 0)
  assert.deepEqual(transport.valuesOn('said'), ['a0', 'a1', 'a2', 'a3'])
  await second.store[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

test('what arrived before a crash is on its topic once, though it does not come up first', async () => {
  const first = await relayFixture()
  const { directory, transport, clock } = first
  const long = 'a'.repeat(600)
  transport.grow('said', 1)
  transport.script = (_place, records, append) => {
    if (records.some(({ value }) => (value?.length ?? 0) > 600)) return tooLarge
    append()
    return new Promise(() => {})
  }
  first.relay.start()
  await first.say('said', by('ada', long), by('bob', 'b1'))
  await until('b1 arrived', () => transport.valuesOn('said').includes('b1'))
  await first.store[Symbol.asyncDispose]()

  // The refused one is tried again now, alone and before what had arrived.
  await clock.advance(6_000)
  transport.script = (_place, _records, append) => ({ kind: 'sent', baseOffset: append() })
  await using second = await relayFixture({ directory, transport, clock })
  second.relay.start()
  await until('all is marked', () => second.outbox.unsent === 0)
  assert.deepEqual(transport.valuesOn('said').sort(), [long, 'b1'])
  await second.store[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

test('the first send of all to a partition, interrupted by a crash, is on its topic once', async () => {
  const first = await relayFixture()
  const { directory, transport, clock } = first
  transport.append({ topic: 'said', partition: 0 }, [others('x')])
  transport.append({ topic: 'said', partition: 1 }, [others('y')])
  transport.script = (_place, _records, append) => {
    append()
    return new Promise(() => {})
  }
  first.relay.start()
  await first.say('said', by('ada', 'a1'))
  await until('a1 arrived', () => transport.valuesOn('said').includes('a1'))
  await first.store[Symbol.asyncDispose]()

  await using second = await relayFixture({ directory, transport, clock })
  second.relay.start()
  await until('it is marked', () => second.outbox.unsent === 0)
  assert.deepEqual(transport.valuesOn('said').sort(), ['a1', 'x', 'y'])
  await second.store[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

test('a cluster whose data was wiped gets again what the last one had, before what is new', async () => {
  await using it = await relayFixture()
  it.relay.start()
  await it.say('said', by('ada', 'a1'), by('ada', 'a2'))
  await until('they are marked', () => it.outbox.unsent === 0)
  const ids = it.transport.idsOn('said')
  it.transport.wipe('cluster-2')
  await it.clock.advance(1_000)
  await it.say('said', by('ada', 'a3'))
  await until('a3 is sent', () => it.outbox.unsent === 0)
  assert.deepEqual(it.transport.valuesOn('said'), ['a1', 'a2', 'a3'])
  assert.deepEqual(it.transport.idsOn('said').slice(0, 2), ids)
})

test('on another cluster nothing is sent while a send to the last one is on its way', async () => {
  await using it = await relayFixture()
  let answer: (outcome: typeof unavailable) => void = () => {}
  it.transport.script = () =>
    new Promise((resolve) => {
      answer = resolve
    })
  it.relay.start()
  await it.say('said', by('ada', 'a1'))
  await until('a1 is on its way', () => it.transport.sends.length === 1)
  it.transport.wipe('cluster-2')
  it.transport.script = (_place, _records, append) => ({ kind: 'sent', baseOffset: append() })
  await it.clock.advance(relaySweepMs)
  await it.say('said', by('ada', 'a2'))
  await settle()
  assert.equal(it.transport.sends.length, 1)
  answer(unavailable)
  await until('both are sent', () => it.outbox.unsent === 0)
  assert.deepEqual(it.transport.valuesOn('said'), ['a1', 'a2'])
  assert.equal(it.transport.inFlightMax, 1)
})

test('a service that says nothing finds a wiped cluster at its next sweep', async () => {
  await using it = await relayFixture()
  it.relay.start()
  await it.say('said', by('ada', 'a1'))
  await until('it is marked', () => it.outbox.unsent === 0)
  it.transport.wipe('cluster-2')
  await it.clock.advance(relaySweepMs)
  await until('a1 is there', () => it.transport.valuesOn('said').includes('a1'))
})

test('while Kafka is away events wait, and it is not asked at every commit', async () => {
  const transport = new ScriptedTransport(null)
  let asked = 0
  const cluster = transport.cluster.bind(transport)
  transport.cluster = () => {
    asked += 1
    return cluster()
  }
  await using it = await relayFixture({ transport })
  it.relay.start()
  for (let number = 0; number < 20; number += 1) await it.say('said', by('ada', `a${number}`))
  await settle()
  assert.equal(asked, 1)
  assert.equal(it.outbox.unsent, 20)
  transport.clusterId = 'cluster-1'
  await it.clock.advance(relaySweepMs)
  await until('they are sent', () => it.outbox.unsent === 0)
  assert.equal(transport.valuesOn('said').length, 20)
})

test('an outbox that is full refuses what is said, and keeps what it has', async () => {
  const transport = new ScriptedTransport(null)
  await using it = await relayFixture({ transport, unsentMax: 2 })
  await it.say('said', by('ada', 'a1'), by('ada', 'a2'))
  await assert.rejects(
    it.say('said', by('ada', 'a3')),
    (error) => error instanceof MillraceError && error.code === 'outbox-full',
  )
  transport.clusterId = 'cluster-1'
  it.relay.start()
  await it.clock.advance(relaySweepMs)
  await until('it is empty', () => it.outbox.unsent === 0)
  assert.deepEqual(transport.valuesOn('said'), ['a1', 'a2'])
})

test('a topic that Kafka refuses keeps its events waiting, and no others', async () => {
  await using it = await relayFixture()
  it.transport.refusedTopics.add('asked')
  it.relay.start()
  await it.say('asked', by('ada', 'a1?'))
  await it.say('said', by('ada', 'a2'), by('bob', 'b1'))
  await until('the others are sent', () => it.outbox.unsent === 1)
  assert.deepEqual(it.transport.valuesOn('said').sort(), ['a2', 'b1'])
  const { cluster } = it.relay
  assert.deepEqual(cluster.kind === 'met' && [...cluster.refused], [['asked', 'no "asked"']])

  it.transport.refusedTopics.clear()
  await it.clock.advance(topicsFreshMs)
  await until('it follows once it is allowed', () => it.outbox.unsent === 0)
  assert.deepEqual(it.transport.valuesOn('asked'), ['a1?'])
})

test('events that wait while partitions are added go where their keys belong now', async () => {
  await using it = await relayFixture()
  const keys = ['ada', 'bob', 'cyd', 'dan', 'eve']
  it.relay.start()
  await until('the topics are made', () => it.relay.cluster.kind === 'met')
  it.transport.script = () => unavailable
  await it.say('said', ...keys.map((key) => by(key, key)))
  await until('they were tried', () => it.transport.sends.length === 2)
  it.transport.grow('said', 5)
  it.transport.script = (_place, _records, append) => ({ kind: 'sent', baseOffset: append() })
  await it.clock.advance(60_000)
  await until('they are sent', () => it.outbox.unsent === 0)
  const places = it.transport.sends.slice(2).map((send) => send.split(':')[0])
  const wanted = new Set(keys.map((key) => `said/${partitionOf(keyHash(key), 5)}`))
  assert.deepEqual(new Set(places), wanted)
})

test('an event of a topic that the catalogue has lost is still sent', async () => {
  await using it = await relayFixture()
  await it.say('said', by('ada', 'a1'))
  await it.store.transaction('rename', (db) =>
    db
      .updateTable('millrace_outbox')
      .set({ topic: 'said.before' })
      .execute()
      .then(() => {}),
  )
  it.relay.start()
  await until('it is sent', () => it.transport.valuesOn('said.before').includes('a1'))
})

test('a stop sends what it can, and leaves no timer', async () => {
  const it = await relayFixture()
  it.relay.start()
  await settle()
  await it.say('said', by('ada', 'a1'))
  await it.relay.stop()
  assert.deepEqual(it.transport.valuesOn('said'), ['a1'])
  assert.equal(it.clock.timers, 0)
  await it.store[Symbol.asyncDispose]()
  rmSync(it.directory, { recursive: true })
})

test('a stop does not wait for ever for a send that hangs', async () => {
  const it = await relayFixture()
  it.transport.script = () => new Promise(() => {})
  it.relay.start()
  await it.say('said', by('ada', 'a1'))
  await until('it is on its way', () => it.transport.sends.length === 1)
  const stopped = it.relay.stop()
  await it.clock.advance(5_000)
  await stopped
  assert.equal(it.clock.timers, 0)
  await it.store[Symbol.asyncDispose]()
  rmSync(it.directory, { recursive: true })
})

function others(payload: string) {
  const value = new TextEncoder().encode(JSON.stringify({ payload }))
  return { key: null, value, headers: [], timestampMs: 0 }
}
