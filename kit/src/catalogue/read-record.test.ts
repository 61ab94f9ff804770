import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { IncomingRecord } from '../transport/transport.ts'
import { defineCatalogue } from './catalogue.ts'
import { event } from './event.ts'
import { writeHeaders } from './event-headers.ts'
import { flatJson } from './flat-json.ts'
import { isRfc3339, type ReadRecord, readRecord } from './read-record.ts'

const task = {
  stream: 'task',
  key: ({ taskId }: { taskId: number }) => taskId,
  fields: z.object({
    taskId: z.int(),
    assigneeId: z
      .int()
      .nullish()
      .transform((id) => id ?? null),
  }),
}

const todo = defineCatalogue(
  'todo',
  {
    'task.completed': event({
      version: '1.0',
      ...task,
      payload: z.object({ completed: z.boolean() }),
    }),
  },
  { format: flatJson },
)

const travel = defineCatalogue('travel', {
  'booking.created': event({
    version: '2.0',
    topic: 'bookings',
    payload: z.object({ id: z.string() }),
  }),
  'booking.cancelled': event({
    version: '2.0',
    topic: 'bookings',
    payload: z.object({ id: z.string() }),
  }),
})

const origin = { clusterId: 'cluster', topicId: 'topic-id' }

function record(
  value: string | Uint8Array | null,
  extra: Partial<IncomingRecord> = {},
): IncomingRecord {
  return {
    topic: 'task.completed',
    partition: 2,
    offset: 41n,
    key: null,
    value: typeof value === 'string' ? new TextEncoder().encode(value) : value,
    headers: [],
    timestampMs: 0,
    ...extra,
  }
}

const seedJson = {
  eventType: 'task.completed',
  taskId: 1,
  teamId: 1,
  assigneeId: 2,
  timestamp: '2025-08-25T22:50:15.123Z',
  payload: { completed: true },
}

function eventOf(read: ReadRecord) {
  assert(read.kind === 'event', read.kind === 'misfit' ? read.reason : '')
  return read
}

test('a record of another program, without key and headers, is an event like our own', async () => {
  const read = eventOf(await readRecord(todo, record(JSON.stringify(seedJson)), origin))
  assert.deepEqual(read.event, {
    eventId: 'cluster/topic-id/2/41',
    eventType: 'task.completed',
    timestamp: '2025-08-25T22:50:15.123Z',
    version: '1.0',
    source: null,
    correlationId: null,
    causationId: null,
    metadata: {},
    taskId: 1,
    assigneeId: 2,
    payload: { completed: true },
  })
  assert.equal(read.key, '1')
})

test('our own record has its identity, its source and its causes in the headers', async () => {
  const headers = writeHeaders({
    id: 'event-1',
    type: 'task.completed',
    source: 'task-service',
    version: '1.1',
    correlationId: 'corr',
    causationId: 'cause',
    traceparent: 'trace',
  })
  const read = eventOf(
    await readRecord(todo, record(JSON.stringify(seedJson), { headers }), origin),
  )
  const { eventId, source, version, correlationId, causationId } = read.event
  assert.deepEqual(
    [eventId, source, version, correlationId, causationId, read.traceparent],
    ['event-1', 'task-service', '1.1', 'corr', 'cause', 'trace'],
  )
})

for (const assigneeId of [undefined, null]) {
  test(`an assignee that is ${assigneeId} is none`, async () => {
    const read = await readRecord(todo, record(JSON.stringify({ ...seedJson, assigneeId })), origin)
    assert.deepEqual(eventOf(read).event, { ...eventOf(read).event, assigneeId: null })
  })
}

test("a type that is missing is that of the topic, and a time that is missing the record's", async () => {
  const value = JSON.stringify({ taskId: 1, payload: { completed: true } })
  const { event } = eventOf(
    await readRecord(todo, record(value, { timestampMs: 86_400_000 }), origin),
  )
  assert.deepEqual(
    [event.eventType, event.timestamp],
    ['task.completed', '1970-01-02T00:00:00.000Z'],
  )
})

test("the key is the catalogue's; where it has none, the record's", async () => {
  const key = new TextEncoder().encode('from the record')
  const ours = await readRecord(todo, record(JSON.stringify(seedJson), { key }), origin)
  assert.equal(eventOf(ours).key, '1')
  const value = JSON.stringify({ eventType: 'booking.created', payload: { id: 'b' } })
  const theirs = await readRecord(travel, record(value, { topic: 'bookings', key }), origin)
  assert.equal(eventOf(theirs).key, 'from the record')
  const none = await readRecord(travel, record(value, { topic: 'bookings' }), origin)
  assert.equal(eventOf(none).key, null)
})

test('on a topic of several events the type decides, from the value or from the headers', async () => {
  const value = JSON.stringify({ payload: { id: 'b' } })
  const headers = writeHeaders({ type: 'booking.cancelled' })
  const read = await readRecord(travel, record(value, { topic: 'bookings', headers }), origin)
  assert.equal(eventOf(read).event.eventType, 'booking.cancelled')
})

const misfits: readonly (readonly [title: string, record: IncomingRecord, reason: RegExp])[] = [
  ['no JSON', record('{"taskId":'), /^not readable as flat-json: /],
  ['bytes that are no UTF-8', record(new Uint8Array([0xff])), /^not readable as flat-json: /],
  ['JSON that is no object', record('[1]'), /the value is an array, not a JSON object/],
  [
    'another type',
    record(JSON.stringify({ ...seedJson, eventType: 'task.lost' })),
    /knows no event "task.lost" on topic "task.completed" \(it has "task.completed"\)/,
  ],
  [
    'a payload that does not fit',
    record(JSON.stringify({ ...seedJson, payload: {} })),
    /^payload.completed: /,
  ],
  ['a field that does not fit', record(JSON.stringify({ ...seedJson, taskId: 'x' })), /^taskId: /],
  [
    'a time that is none',
    record(JSON.stringify({ ...seedJson, timestamp: 'yesterday' })),
    /timestamp "yesterday" is not an RFC 3339 time/,
  ],
  [
    'an id without end',
    record(JSON.stringify(seedJson), { headers: writeHeaders({ id: 'x'.repeat(257) }) }),
    /eventId is longer than 256/,
  ],
]

for (const [title, incoming, reason] of misfits) {
  test(`a record is a misfit for ${title}`, async () => {
    const read = await readRecord(todo, incoming, origin)
    assert(read.kind === 'misfit')
    assert.match(read.reason, reason)
  })
}

test('a record on a topic of several events must say which it is', async () => {
  const value = JSON.stringify({ payload: { id: 'b' } })
  const read = await readRecord(travel, record(value, { topic: 'bookings' }), origin)
  assert(read.kind === 'misfit')
  assert.match(read.reason, /does not say its eventType, and topic "bookings" carries several/)
})

const times: readonly (readonly [time: string, isTime: boolean])[] = [
  ['2025-08-25T22:50:15.123Z', true],
  ['2025-08-25T22:50:15.123456789+02:00', true], // as Go writes it
  ['2025-08-25t22:50:15z', true],
  ['2025-08-25 22:50:15-00:00', true],
  ['2025-08-25T22:50:15', false], // no offset
  ['2025-13-25T22:50:15Z', false],
  ['2025-08-25', false],
]

for (const [time, isTime] of times) {
  test(`"${time}" is ${isTime ? 'a' : 'no'} time of RFC 3339`, () => {
    assert.equal(isRfc3339(time), isTime)
  })
}

const throwing: readonly [string, Parameters<typeof event>[0]][] = [
  [
    'a schema',
    {
      version: '1.0',
      payload: z.string().transform(() => {
        throw new Error('not again')
      }),
    },
  ],
  [
    'a key',
    {
      version: '1.0',
      payload: z.string(),
      key: () => {
        throw new Error('not again')
      },
    },
  ],
]
for (const [what, definition] of throwing) {
  test(`${what} that throws makes the record a misfit, and is not asked for ever`, async () => {
    const catalogue = defineCatalogue('odd', { said: event(definition) })
    const read = await readRecord(catalogue, record('{"payload":"x"}', { topic: 'said' }), origin)
    assert.deepEqual(read, { kind: 'misfit', reason: 'reading it fails: not again' })
  })
}

test('a record whose time is none, and that says no other, is a misfit', async () => {
  const nanoseconds = 1_700_000_000_000_000_000
  const value = JSON.stringify({ taskId: 1, payload: { completed: true } })
  const read = await readRecord(todo, record(value, { timestampMs: nanoseconds }), origin)
  assert.equal(read.kind, 'misfit')
})
