import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { IncomingRecord } from '../transport/transport.ts'
import { defineCatalogue } from './catalogue.ts'
import { event } from './event.ts'
import { readRecord } from './read-record.ts'
import { upcast } from './upcast.ts'

/** 1.0 had one name; 2.0 had two; 3.0 knows the country as well, which was France until then. */
const catalogue = defineCatalogue('users', {
  'user.created': event({
    version: '3.0',
    key: ({ payload }) => payload.userId,
    upcasts: {
      '1.0': upcast(z.object({ userId: z.string(), name: z.string() }), ({ userId, name }) => {
        const [firstName = '', lastName = ''] = name.split(' ')
        return { userId, firstName, lastName }
      }),
      '2.0': ({ payload, ...fields }) => ({
        ...fields,
        payload: { ...Object(payload), country: 'FR' },
      }),
    },
    payload: z.object({
      userId: z.string(),
      firstName: z.string().min(1),
      lastName: z.string(),
      country: z.string(),
    }),
  }),
})

function recordOf(version: string | undefined, payload: unknown): IncomingRecord {
  const value = {
    eventId: 'e1',
    eventType: 'user.created',
    timestamp: '2024-01-15T10:30:00.000Z',
    ...(version === undefined ? {} : { version }),
    payload,
  }
  return {
    topic: 'user.created',
    partition: 0,
    offset: 0n,
    timestampMs: 0,
    key: null,
    value: new TextEncoder().encode(JSON.stringify(value)),
    headers: [],
  }
}

const read = (version: string | undefined, payload: unknown) =>
  readRecord(catalogue, recordOf(version, payload), { clusterId: 'c', topicId: 't' })

const jane = { userId: 'u1', firstName: 'Jane', lastName: 'Doe', country: 'FR' }

const readable = [
  ['1.0', { userId: 'u1', name: 'Jane Doe' }],
  ['2.0', { userId: 'u1', firstName: 'Jane', lastName: 'Doe' }],
  ['3.0', jane],
  [undefined, jane],
] as const
for (const [version, payload] of readable) {
  test(`a record of version ${version ?? 'unsaid'} is read as one of version 3.0, with its key`, async () => {
    const outcome = await read(version, payload)
    assert.ok(outcome.kind === 'event')
    assert.deepEqual(outcome.event.payload, jane)
    assert.equal(outcome.event.version, '3.0')
    assert.equal(outcome.key, 'u1')
  })
}

test('a record of a version that nobody knows is read where it fits, and keeps its version', async () => {
  const outcome = await read('4.0', { ...jane, nickname: 'J' })
  assert.ok(outcome.kind === 'event')
  assert.equal(outcome.event.version, '4.0')
  assert.equal((await read('0.9', { userId: 'u1', name: 'Jane Doe' })).kind, 'misfit')
})

test('what an upcast cannot read is a misfit that says at which version, and why', async () => {
  const outcome = await read('1.0', { userId: 'u1' })
  assert.ok(outcome.kind === 'misfit')
  assert.match(outcome.reason, /version 1\.0 cannot be read as the next one: payload\.name: /)
})

test('what comes out of an upcast is checked by the present schemas', async () => {
  const outcome = await read('1.0', { userId: 'u1', name: ' Doe' })
  assert.ok(outcome.kind === 'misfit')
  assert.match(outcome.reason, /payload\.firstName/)
})

test('an upcast from the present version is refused when the catalogue is declared', () => {
  const wrong = event({ version: '1.0', upcasts: { '1.0': (body) => body }, payload: z.string() })
  assert.throws(() => defineCatalogue('users', { wrong }), /version 1\.0, and has an upcast/)
})
