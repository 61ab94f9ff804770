import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { MillraceError } from '../errors.ts'
import { service } from '../service.ts'
import { defineCatalogue } from './catalogue.ts'
import { event } from './event.ts'
import { flatJson } from './flat-json.ts'

const on = (topic: string, stream?: string) =>
  event({ version: '1', topic, ...(stream === undefined ? {} : { stream }), payload: z.object({}) })

const refused: readonly (readonly [title: string, define: () => unknown, words: RegExp])[] = [
  [
    'a topic that Kafka refuses',
    () => defineCatalogue('c', { a: on('no/slash') }),
    /event "a" goes to topic "no\/slash", which Kafka refuses/,
  ],
  [
    'topics that differ only in . and _',
    () => defineCatalogue('c', { a: on('x.y'), b: on('x_y') }),
    /Kafka takes the topics "x.y" and "x_y" for one/,
  ],
  [
    'a topic in two streams',
    () => defineCatalogue('c', { a: on('t', 's'), b: on('t', 'r') }),
    /topic "t" is in two streams, "s" and "r"/,
  ],
  ['no partitions', () => defineCatalogue('c', {}, { partitions: 0 }), /partitions is 0/],
  [
    'partitions of one event that are none',
    () => defineCatalogue('c', { a: event({ ...on('a'), partitions: 1.5 }) }),
    /partitions of event "a" is 1.5, and must be a whole number above 0/,
  ],
  [
    'a topic with two numbers of partitions',
    () =>
      defineCatalogue('c', {
        a: event({ ...on('t'), partitions: 2 }),
        b: event({ ...on('t'), partitions: 3 }),
      }),
    /events on topic "t" differ in partitions, 2 and 3/,
  ],
  [
    'a stream with two numbers of partitions',
    () => defineCatalogue('c', { a: event({ ...on('t', 's'), partitions: 8 }), b: on('u', 's') }),
    /topics of stream "s" have 8 and 4 partitions: a key would not have one place in it/,
  ],
  [
    'a handler of an unknown event',
    () => {
      const definition = service('s', { catalogue: defineCatalogue('c', { a: on('a') }) })
      const untyped: { on(name: string, handler: () => Promise<void>): unknown } = definition
      untyped.on('b', async () => {})
    },
    /service "s" handles "b", which catalogue "c" does not have/,
  ],
  [
    'two handlers of one event',
    () => {
      const catalogue = defineCatalogue('c', { a: on('a') })
      service('s', { catalogue })
        .on('a', async () => {})
        .on('a', async () => {})
    },
    /service "s" has two handlers for "a"/,
  ],
  [
    'a service name that is no file name',
    () => service('../s', { catalogue: defineCatalogue('c', {}) }),
    /"..\/s" is no name for a service/,
  ],
]

for (const [title, define, words] of refused) {
  test(`a definition is refused for ${title}`, () => {
    assert.throws(define, (error) => {
      assert(error instanceof MillraceError)
      assert.equal(error.code, 'definition-invalid')
      assert.match(error.message, words)
      return true
    })
  })
}

test("each topic is made once, with the catalogue's partitions", () => {
  const { topics } = defineCatalogue('c', { a: on('t'), b: on('t'), c: on('u') }, { partitions: 3 })
  assert.deepEqual(topics, [
    { topic: 't', partitions: 3 },
    { topic: 'u', partitions: 3 },
  ])
})

test('an event says how many partitions its topic gets, and how it is configured', () => {
  const configs = { 'retention.ms': '3600000' }
  const { topics } = defineCatalogue('c', {
    a: event({ ...on('t'), partitions: 12, configs }),
    b: on('t'),
  })
  assert.deepEqual(topics, [{ topic: 't', partitions: 12, configs }])
})

test('a service changes nothing when it learns to handle more', () => {
  const first = service('s', { catalogue: defineCatalogue('c', { a: on('a'), b: on('b') }) })
  const second = first.on('a', async () => {})
  assert.deepEqual([[...first.handlers.keys()], [...second.handlers.keys()]], [[], ['a']])
})

test("the flat format writes the seed's JSON, field for field and nothing more", () => {
  const envelope = {
    eventId: 'event-1',
    eventType: 'task.completed',
    timestamp: '2025-08-25T22:50:15.123Z',
    version: '1.0',
    source: 'task-service',
    correlationId: 'corr',
    causationId: 'cause',
    metadata: { a: 1 },
  }
  const fields = { taskId: 1, teamId: 1, actorId: 1, creatorId: 1, assigneeId: 2 }
  const value = flatJson.encode({ envelope, fields, payload: { completed: true } })
  assert.equal(
    new TextDecoder().decode(value),
    '{"eventType":"task.completed","taskId":1,"teamId":1,"actorId":1,"creatorId":1,' +
      '"assigneeId":2,"timestamp":"2025-08-25T22:50:15.123Z","payload":{"completed":true}}',
  )
})
