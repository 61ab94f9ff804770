import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter } from '@millrace/kit'
import type { Input } from '../command.ts'
import { lettersMeant, ordersFor, readSelection, type Selection } from './selection.ts'

function letter(id: string, changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    id,
    service: 'notification-service',
    group: 'notification-service',
    state: 'parked',
    reason: 'refused',
    attempts: 5,
    dueAt: null,
    parkedAt: '2026-01-01T00:00:00.000Z',
    eventId: `event-${id}`,
    eventType: 'task.updated',
    correlationId: null,
    stream: 'task',
    key: '7',
    topic: 'task.updated',
    partition: 0,
    offset: 0,
    ...changes,
  }
}

const letters = [
  letter('a'),
  letter('b', { state: 'behind', topic: 'task.completed' }),
  letter('c', { stream: 'user.created', topic: 'user.created' }),
  letter('d', { service: 'audit-service' }),
  letter('e', { state: 'rejected', key: null }),
  letter('f', { key: '8' }),
]

function typed(words: Readonly<Record<string, string | true>>, ...positionals: string[]): Input {
  const text = (name: string) => (typeof words[name] === 'string' ? words[name] : undefined)
  return { positionals, text, flag: (name) => words[name] === true, integer: () => undefined }
}

test('exactly one way to select is taken', () => {
  const right: readonly (readonly [Input, Selection])[] = [
    [typed({}, 'a'), { kind: 'one', id: 'a' }],
    [typed({ key: '7' }), { kind: 'key', key: '7', topic: undefined }],
    [typed({ key: '7', topic: 't' }), { kind: 'key', key: '7', topic: 't' }],
    [typed({ all: true }), { kind: 'all', service: undefined }],
    [typed({ all: true, service: 's' }), { kind: 'all', service: 's' }],
  ]
  for (const [input, selection] of right) assert.deepEqual(readSelection(input), selection)
  const wrong: readonly (readonly [Input, RegExp])[] = [
    [typed({}), /say which: an id, --key KEY, or --all/],
    [typed({ all: true }, 'a'), /say which/],
    [typed({ all: true, key: '7' }), /say which/],
    [typed({ all: true, topic: 't' }), /--topic goes with --key/],
    [typed({ service: 's' }, 'a'), /--service goes with --all/],
  ]
  for (const [input, message] of wrong) {
    assert.throws(() => readSelection(input), { name: 'UsageError', message })
  }
})

test('what is meant is what was said, and nothing of another service, key or topic', () => {
  const cases: readonly (readonly [Selection, string])[] = [
    [{ kind: 'one', id: 'b' }, 'b'],
    [{ kind: 'key', key: '7', topic: undefined }, 'abcd'],
    [{ kind: 'key', key: '7', topic: 'task.updated' }, 'ad'],
    [{ kind: 'all', service: undefined }, 'abcdef'],
    [{ kind: 'all', service: 'audit-service' }, 'd'],
  ]
  for (const [selection, ids] of cases) {
    assert.equal(
      lettersMeant(letters, selection)
        .map(({ id }) => id)
        .join(''),
      ids,
    )
  }
})

test('an id or key that nothing has is said, and nothing of all is no failure', () => {
  for (const [selection, message] of [
    [{ kind: 'one', id: 'x' }, /no dead letter has the id "x"/],
    [{ kind: 'key', key: 'x', topic: 't' }, /holds back the key "x" of topic "t"/],
  ] as const) {
    assert.throws(() => lettersMeant(letters, selection), { name: 'CommandFailure', message })
  }
  assert.deepEqual(lettersMeant([], { kind: 'all', service: undefined }), [])
})

const named = (action: 'redrive' | 'discard', selection: Selection) =>
  ordersFor(action, selection, lettersMeant(letters, selection)).map(
    ({ service, target }) => `${service}:${target.id ?? '*'}`,
  )

test('a key is redriven once in each stream of each service, whoever stands behind it', () => {
  assert.deepEqual(named('redrive', { kind: 'key', key: '7', topic: undefined }), [
    'notification-service:a',
    'notification-service:c',
    'audit-service:d',
  ])
})

test('a discard means each letter that was selected, and no other of its key', () => {
  assert.deepEqual(named('discard', { kind: 'key', key: '7', topic: 'task.completed' }), [
    'notification-service:b',
  ])
})

test('all is one order a service', () => {
  for (const action of ['redrive', 'discard'] as const) {
    assert.deepEqual(named(action, { kind: 'all', service: undefined }), [
      'notification-service:*',
      'audit-service:*',
    ])
  }
})
