import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumerStatus } from '../inbox/consumer-status.ts'
import { lagToldMin } from '../limits.ts'
import { kafkaReport } from './kafka-report.ts'
import type { ServiceHealth } from './service-health.ts'

const listening: ConsumerStatus = {
  partitions: [{ topic: 'said', partition: 0 }],
  events: 3,
  heldKeys: 1,
  outages: [],
  overdue: [],
  paused: [],
  trouble: null,
  topics: [],
}
const met = { kind: 'met', clusterId: 'c-1', partitions: new Map(), refused: new Map() } as const
const well: ServiceHealth = {
  kafka: met,
  group: 'listener',
  lag: [{ topic: 'said', partition: 0, committed: 4n, start: 0n, end: 9n, lag: 5n }],
  lagUnknown: null,
  storeUnknown: null,
  lagGrowth: null,
  slowest: null,
  deadLetters: new Map(),
  jobs: [],
  projections: [],
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
      partitions: [{ topic: 'said', partition: 0, committed: 4, start: 0, end: 9, lag: 5 }],
      events: 3,
      heldKeys: 1,
      outages: [],
      overdue: [],
      paused: [],
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
const place = { topic: 'said', partition: 0 }
const behind = { ...place, committed: 0n, start: 0n, end: 99_999n, lag: BigInt(lagToldMin) }
const lost = { ...place, committed: 3n, start: 10n, end: 10n, lag: 0n }

const cases: readonly [string, Partial<ServiceHealth>, string, RegExp][] = [
  [
    'Kafka is away',
    { kafka: { kind: 'away', reason: 'nobody answers' } },
    'down',
    /nobody answers/,
  ],
  ['Kafka is switched off', { kafka: { kind: 'disabled' } }, 'disabled', /KAFKA_ENABLED/],
  ['a dependency is down', { consumer: { ...listening, outages: [outage] } }, 'degraded', /smtp/],
  [
    'the database is away',
    { storeUnknown: 'connection refused' },
    'degraded',
    /database does not answer: connection refused/,
  ],
  ['the group is lost', { consumer: { ...listening, trouble: 'fenced' } }, 'degraded', /fenced/],
  [
    'a topic is refused',
    { kafka: { ...met, refused: new Map([['secret', 'Kafka does not make "secret"']]) } },
    'degraded',
    /does not make "secret"/,
  ],
  [
    'a topic has other partitions than the catalogue says',
    {
      consumer: {
        ...listening,
        topics: [{ topic: 'said', kind: 'partitions-differ', message: '6, and not 4' }],
      },
    },
    'degraded',
    /6, and not 4/,
  ],
  ['an event is refused', { outbox: { ...well.outbox, held: [held] } }, 'degraded', /too large/],
  ['the group is far behind', { lag: [behind] }, 'up', /10000 records behind/],
  [
    'the lag grows',
    { lag: [behind], lagGrowth: 99.6 },
    'up',
    /10000 records.*100 more each second/,
  ],
  ['the lag is not told', { lag: [], lagUnknown: 'it took too long' }, 'up', /took too long/],
  ['retention was faster', { lag: [lost] }, 'degraded', /up to 7 records of "said" were removed/],
]
for (const [what, change, status, reason] of cases) {
  test(`when ${what} the report is ${status}, and says why and what helps`, () => {
    const report = kafkaReport({ ...well, ...change })
    assert.equal(report.status, status)
    assert.match(report.reason ?? '', reason)
    assert.match(report.hint ?? '', /./)
  })
}

test('the hint names the handler that takes longest', () => {
  const slowest = { event: 'said', averageMs: 812.3 }
  const report = kafkaReport({ ...well, lag: [behind], lagGrowth: 5, slowest })
  assert.match(report.hint ?? '', /that of "said": 812 ms on average/)
})

test('a lag that Kafka does not tell is null, not nothing', () => {
  const report = kafkaReport({ ...well, lag: [], lagUnknown: 'it took too long' })
  assert.equal(report.groups[0]?.lag, null)
})

test('a group that has committed nothing yet has lost nothing', () => {
  const fresh = { ...place, committed: null, start: 10n, end: 10n, lag: 0n }
  assert.equal(kafkaReport({ ...well, lag: [fresh] }).status, 'up')
})
