import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumerStatus } from '../inbox/consumer-status.ts'
import { lagToldMin } from '../limits.ts'
import type { ServiceHealth } from '../server.ts'
import { kafkaReport } from './kafka-report.ts'

const listening: ConsumerStatus = {
  partitions: [{ topic: 'said', partition: 0 }],
  events: 3,
  heldKeys: 1,
  outages: [],
  trouble: null,
}
const met = { kind: 'met', clusterId: 'c-1', partitions: new Map(), refused: new Map() } as const
const well: ServiceHealth = {
  kafka: met,
  group: 'listener',
  lag: [{ topic: 'said', partition: 0, committed: 4n, end: 9n, lag: 5n }],
  consumer: listening,
  outbox: { unsent: 0, oldestUnsentMs: null, held: [] },
}

test('a service that listens tells its group and its lag as plain numbers', () => {
  const report = kafkaReport(well)
  assert.equal(report.status, 'up')
  assert.deepEqual(report.cluster, { clusterId: 'c-1' })
  assert.deepEqual(JSON.parse(JSON.stringify(report.groups)), [
    {
      group: 'listener',
      lag: 5,
      partitions: [{ topic: 'said', partition: 0, committed: 4, end: 9, lag: 5 }],
      events: 3,
      heldKeys: 1,
      outages: [],
    },
  ])
})

test('a service that listens to nothing has no group', () => {
  assert.deepEqual(kafkaReport({ ...well, consumer: null }).groups, [])
})

const outage = { subscription: 'said', reason: 'smtp is down', sinceMs: 0 }
const held = {
  topic: 'said',
  key: 'a',
  eventId: 'e',
  code: 'MESSAGE_TOO_LARGE',
  message: 'too large',
  attempts: 1,
  sinceMs: 0,
  retryAtMs: 0,
}
const behind = { topic: 'said', partition: 0, committed: 0n, end: 99_999n, lag: BigInt(lagToldMin) }

const cases: readonly [string, Partial<ServiceHealth>, string, RegExp][] = [
  [
    'Kafka is away',
    { kafka: { kind: 'away', reason: 'nobody answers' } },
    'down',
    /nobody answers/,
  ],
  ['Kafka is switched off', { kafka: { kind: 'disabled' } }, 'disabled', /KAFKA_ENABLED/],
  ['a dependency is down', { consumer: { ...listening, outages: [outage] } }, 'degraded', /smtp/],
  ['the group is lost', { consumer: { ...listening, trouble: 'fenced' } }, 'degraded', /fenced/],
  [
    'a topic is refused',
    { kafka: { ...met, refused: new Map([['secret', 'Kafka does not make "secret"']]) } },
    'degraded',
    /does not make "secret"/,
  ],
  ['an event is refused', { outbox: { ...well.outbox, held: [held] } }, 'degraded', /too large/],
  ['the group is far behind', { lag: [behind] }, 'up', /10000 records behind/],
]
for (const [what, change, status, reason] of cases) {
  test(`when ${what} the report is ${status}, and says why and what helps`, () => {
    const report = kafkaReport({ ...well, ...change })
    assert.equal(report.status, status)
    assert.match(report.reason ?? '', reason)
    assert.match(report.hint ?? '', /./)
  })
}
