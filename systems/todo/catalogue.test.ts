import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue } from './catalogue.ts'

const envelope = {
  eventId: '0198e2f0-0000-7000-8000-000000000001',
  version: '1.0',
  source: 'task-service',
  correlationId: 'c-1',
  causationId: null,
  metadata: {},
}
const taskFields = { taskId: 1, teamId: 1, actorId: 1, creatorId: 1, assigneeId: 2 }

/** What is said, and what the seed shows of it on the wire. */
const seed: readonly [string, string, object, object, string][] = [
  [
    'user.created',
    '2025-08-25T22:30:57.123Z',
    { userId: 7 },
    { email: 'user@example.com', username: 'newuser' },
    '{"eventType":"user.created","userId":7,"timestamp":"2025-08-25T22:30:57.123Z",' +
      '"payload":{"email":"user@example.com","username":"newuser"}}',
  ],
  [
    'task.updated',
    '2025-08-25T22:41:54.574Z',
    taskFields,
    { title: 'Updated Task Title', completed: false },
    '{"eventType":"task.updated","taskId":1,"teamId":1,"actorId":1,"creatorId":1,' +
      '"assigneeId":2,"timestamp":"2025-08-25T22:41:54.574Z",' +
      '"payload":{"title":"Updated Task Title","completed":false}}',
  ],
  [
    'task.completed',
    '2025-08-25T22:50:15.123Z',
    taskFields,
    { completed: true },
    '{"eventType":"task.completed","taskId":1,"teamId":1,"actorId":1,"creatorId":1,' +
      '"assigneeId":2,"timestamp":"2025-08-25T22:50:15.123Z","payload":{"completed":true}}',
  ],
]
for (const [eventType, timestamp, fields, payload, json] of seed) {
  test(`${eventType} stands on the wire as in the seed, and nothing more`, async () => {
    const definition = catalogue.routes.get(eventType)?.definition
    // Whoever publishes may write the members in any order: the schema decides.
    const accepted = await definition?.fields?.['~standard'].validate(reversed(fields))
    assert.ok(accepted && !accepted.issues)
    const value = catalogue.format.encode({
      envelope: { ...envelope, eventType, timestamp },
      fields: Object.fromEntries(Object.entries(accepted.value)),
      payload,
    })
    assert.equal(new TextDecoder().decode(value), json)
  })
}

test('the two events of a task share a stream, so that they share order and parking', () => {
  const places = [...catalogue.routes.values()].map(({ topic, stream }) => `${topic} in ${stream}`)
  assert.deepEqual(places, [
    'user.created in user.created',
    'task.updated in task',
    'task.completed in task',
  ])
})

function reversed(fields: object): object {
  return Object.fromEntries(Object.entries(fields).toReversed())
}
