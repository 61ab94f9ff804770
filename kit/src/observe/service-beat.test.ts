import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../manual-clock.ts'
import type { IncomingRecord, OutgoingRecord } from '../transport/transport.ts'
import { serviceBeatMs, serviceForgottenMs, serviceLookMs } from './limits.ts'
import { ServiceBeat } from './service-beat.ts'
import { readServiceRecord, type ServiceRecord, writeServiceRecord } from './service-record.ts'

function recordAt(atMs: number, instance: string, service = 'kitchen'): ServiceRecord {
  const at = new Date(atMs).toISOString()
  const where = { host: 'laptop', pid: 1, node: '24', kit: '1', urls: [] }
  const work = { publishes: [], subscribes: [], group: service, partitions: 0, lag: null }
  const rest = {
    health: 'up',
    reason: null,
    unsent: 0,
    oldestUnsentMs: null,
    deadLetters: {},
  } as const
  const times = { since: '2026-01-01T00:00:00.000Z', at, beatMs: serviceBeatMs }
  return { version: 1, service, instance, state: 'up', ...where, ...times, ...work, ...rest }
}

/** A topic with what earlier instances left on it. */
function fixture(earlier: readonly ServiceRecord[] = []) {
  const clock = new ManualClock()
  const topic: OutgoingRecord[] = []
  const state = { isReady: true, unsent: 0, hasStore: true }
  const append = (record: ServiceRecord) =>
    topic.push({
      key: new TextEncoder().encode(`${record.service}/${record.instance}`),
      value: writeServiceRecord(record),
      headers: [],
      timestampMs: 0,
    })
  for (const record of earlier) append(record)
  const beat = new ServiceBeat({
    service: 'kitchen',
    instance: 'new',
    clock,
    isReady: () => state.isReady,
    describe: async () => {
      if (!state.hasStore) throw new Error('the disk is full')
      return { ...recordAt(clock.nowMs(), 'new'), unsent: state.unsent }
    },
    transport: {
      send: async (_place, records) => {
        topic.push(...records)
        return { kind: 'sent', baseOffset: 0n }
      },
      readFrom: async (place, offset, recordsMax) =>
        topic.slice(Number(offset), Number(offset) + recordsMax).map(
          (record, index): IncomingRecord => ({
            ...record,
            ...place,
            offset: offset + BigInt(index),
          }),
        ),
    },
  })
  const told = () =>
    topic.slice(earlier.length).map(({ key, value }) => {
      const name = new TextDecoder().decode(key ?? undefined)
      return value === null ? `${name} is gone` : `${name} ${readServiceRecord(value)?.state}`
    })
  return { clock, beat, state, told }
}

test('it tells at its start, when something changes, and at its slow beat', async () => {
  const { clock, beat, state, told } = fixture()
  beat.start()
  await clock.advance(serviceLookMs)
  assert.equal(told().length, 1)
  state.unsent = 7
  await clock.advance(serviceLookMs)
  assert.equal(told().length, 2)
  await clock.advance(serviceBeatMs - serviceLookMs)
  assert.equal(told().length, 2)
  await clock.advance(2 * serviceLookMs)
  assert.equal(told().length, 3)
  await beat.stop()
  assert.equal(told().at(-1), 'kitchen/new stopped')
  assert.equal(clock.timers, 0)
})

test('what could not be described or told is told at the next look', async () => {
  const { clock, beat, state, told } = fixture()
  state.isReady = false
  beat.start()
  await clock.advance(serviceLookMs)
  state.isReady = true
  state.hasStore = false
  await clock.advance(serviceLookMs)
  assert.deepEqual(told(), [])
  state.hasStore = true
  await clock.advance(serviceLookMs)
  assert.deepEqual(told(), ['kitchen/new up'])
  await beat.stop()
})

test('who never said that it is up does not say that it has stopped', async () => {
  const { beat, state, told } = fixture()
  state.isReady = false
  beat.start()
  await beat.stop()
  assert.deepEqual(told(), [])
})

test('old records of its own service get a tombstone, and no others (H2)', async () => {
  const nowMs = new ManualClock().nowMs()
  const longAgoMs = nowMs - serviceForgottenMs - 1
  const { clock, beat, told } = fixture([
    recordAt(longAgoMs, 'old'),
    recordAt(longAgoMs, 'back again'),
    recordAt(nowMs, 'back again'),
    recordAt(nowMs - serviceForgottenMs + 60_000, 'silent for less'),
    recordAt(longAgoMs, 'old', 'of another service'),
  ])
  beat.start()
  await clock.advance(serviceLookMs)
  assert.deepEqual(told(), ['kitchen/new up', 'kitchen/old is gone'])
  await beat.stop()
})
