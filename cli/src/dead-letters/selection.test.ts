import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter, DeadLetterTarget } from '@millrace/kit'
import type { Input } from '../command.ts'
import { lettersMeant, readSelection, type Selection, servicesOf } from './selection.ts'

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
    redrives: 0,
    alike: 0,
    editedBy: null,
    editedAt: null,
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
  const service = undefined
  const right: readonly (readonly [Input, Selection])[] = [
    [typed({}, 'a'), { target: { id: 'a' }, service }],
    [typed({ key: '7' }), { target: { key: '7' }, service }],
    [typed({ key: '7', topic: 't' }), { target: { key: '7', topic: 't' }, service }],
    [
      typed({ event: 'e', state: 'parked' }),
      { target: { eventType: 'e', state: 'parked' }, service },
    ],
    [typed({ all: true }), { target: {}, service }],
    [typed({ all: true, service: 's' }), { target: {}, service: 's' }],
    [typed({ service: 's' }), { target: {}, service: 's' }],
  ]
  for (const [input, selection] of right) assert.deepEqual(readSelection(input), selection)
  const wrong: readonly (readonly [Input, RegExp])[] = [
    [typed({}), /say which: an id, a query such as --key KEY, or --all/],
    [typed({ all: true }, 'a'), /say which/],
    [typed({ all: true, key: '7' }), /say which/],
    [typed({ key: '7' }, 'a'), /say which/],
    [typed({ state: 'lost' }), /--state is "lost"; it can be parked, behind/],
    [typed({ since: 'yesterday' }), /--since is "yesterday"; it is a time such as/],
  ]
  for (const [input, message] of wrong) {
    assert.throws(() => readSelection(input), { name: 'UsageError', message })
  }
})

test('a query means the letters to which all of it applies', () => {
  const cases: readonly (readonly [DeadLetterTarget, string | undefined, string])[] = [
    [{}, undefined, 'abcdef'],
    [{}, 'audit-service', 'd'],
    [{ key: '7' }, undefined, 'abcd'],
    [{ key: '7', topic: 'user.created' }, undefined, 'c'],
    [{ state: 'rejected' }, undefined, 'e'],
    [{ reason: 'REFU' }, undefined, 'abcdef'],
    [{ signature: 'another' }, undefined, ''],
    [{ since: '2026-01-01T00:00:00Z', until: '2026-01-01T00:00:01Z' }, undefined, 'abcdef'],
    [{ until: '2026-01-01T00:00:00Z' }, undefined, ''],
  ]
  for (const [target, service, ids] of cases) {
    const meant = lettersMeant(letters, { target, service })
    assert.equal(meant.map(({ id }) => id).join(''), ids, JSON.stringify(target))
  }
})

test('an id or a key of which there is nothing is an error that says so', () => {
  const meant = (target: DeadLetterTarget) => lettersMeant(letters, { target, service: undefined })
  assert.throws(() => meant({ id: 'z' }), /no dead letter has the id "z"/)
  assert.throws(() => meant({ key: '9' }), /no dead letter holds back the key "9"/)
  assert.throws(() => meant({ key: '7', topic: 'none' }), /the key "7" of topic "none"/)
})

test('--like means the reason of the letter that is named', () => {
  const alike = [
    letter('a', { reason: 'mailbox 12 is full' }),
    letter('b', { reason: 'mailbox 7 is full' }),
  ]
  const selection = readSelection(typed({ like: 'a' }), [...alike, letter('c')])
  const ids = lettersMeant([...alike, letter('c')], selection).map(({ id }) => id)
  assert.deepEqual(ids, ['a', 'b'])
  assert.throws(() => readSelection(typed({ like: 'x' }), alike), /no dead letter has the id "x"/)
})

test('each service that has any is asked once', () => {
  assert.deepEqual(servicesOf(letters), ['notification-service', 'audit-service'])
})
