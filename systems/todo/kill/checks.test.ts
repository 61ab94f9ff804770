import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Heard,
  lostRecords,
  missingMails,
  repeatedEvents,
  repeatedMails,
  strayMails,
  topicProblems,
} from './checks.ts'

const first: Heard = {
  topic: 'task.updated',
  key: 1,
  payload: { title: 'a' },
  eventId: 'e1',
  creatorId: 1,
  assigneeId: 2,
}
const second: Heard = { ...first, payload: { title: 'b' }, eventId: 'e2' }

const cases: readonly [string, readonly Heard[], readonly Heard[], RegExp][] = [
  ['one that is missing', [first, second], [first], /1 events, not 2; at 1 is nothing/],
  ['one too many', [first], [first, second], /2 events, not 1; at 1 is .*"b".*, not the end/],
  ['one twice', [first], [first, first], /2 events, not 1/],
  ['two in the wrong order', [first, second], [second, first], /at 0 is .*"b".*, not .*"a"/],
  ['a key that nobody asked for', [], [first], /task\.updated 1: 1 events, not 0/],
]
for (const [name, said, heard, problem] of cases) {
  test(`the events of a key show ${name}`, () => {
    const [found, ...more] = topicProblems(said, heard)
    assert.match(found ?? '', problem)
    assert.deepEqual(more, [])
  })
}

test('what was said and heard alike is no problem, whatever other keys do between', () => {
  const other = { ...first, key: 2 }
  assert.deepEqual(topicProblems([first, second, other], [first, other, second]), [])
})

test('an event id that is on the topics twice is named', () => {
  assert.deepEqual(repeatedEvents([first, second, { ...second, key: 9 }]), [
    'event e2 is on its topic 2 times',
  ])
})

test('creator and assignee each need a mail of each event, a new user one', () => {
  const user = { ...first, topic: 'user.created', key: 7, eventId: 'e3' }
  const wanted = [
    '<e1%3Aemail%3Auser-1@todo.millrace>',
    '<e1%3Aemail%3Auser-2@todo.millrace>',
    '<e3%3Aemail%3Auser-7@todo.millrace>',
  ]
  assert.deepEqual(missingMails([first, user], []), wanted)
  assert.deepEqual(missingMails([first, user], wanted), [])
  assert.deepEqual(strayMails([first], wanted), wanted.slice(2))
  assert.equal(repeatedMails([...wanted, ...wanted.slice(1)]), 2)
})

test('a record that was acknowledged and is not there is lost', () => {
  assert.deepEqual(lostRecords(['1', '2'], ['2', '3']), ['1'])
})
