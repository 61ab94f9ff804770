import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageIdOf, taskCompletedMail, taskUpdatedMail, welcomeMail } from './mails.ts'

const task = { taskId: 1, teamId: 2, actorId: 3, creatorId: 3, assigneeId: 4 }
const creator = { username: 'ann', role: 'creator', actor: 'ann' } as const
const assignee = { username: 'ben', role: 'assignee', actor: 'ann' } as const

test('a new user is welcomed by name', () => {
  const user = { userId: 7, payload: { email: 'ann@example.com', username: 'ann' } }
  assert.deepEqual(welcomeMail(user), {
    subject: 'Welcome, ann',
    text: 'Hello ann,\n\nyour account is ready.\n',
  })
})

test('a changed task is named, with its new title, status and why one is told', () => {
  const updated = { ...task, payload: { title: 'Buy milk', completed: false } }
  assert.deepEqual(taskUpdatedMail(updated, assignee), {
    subject: 'Task 1 was changed: Buy milk',
    text:
      'Hello ben,\n\nann changed task 1 of team 2.\nIt is called "Buy milk" and is open.\n' +
      'It is assigned to you.\n',
  })
})

test('completed and reopened are two different mails', () => {
  const mailOf = (completed: boolean) =>
    taskCompletedMail({ ...task, payload: { completed } }, creator)
  assert.equal(mailOf(true).subject, 'Task 1 was completed')
  assert.equal(mailOf(false).subject, 'Task 1 was reopened')
  assert.equal(
    mailOf(false).text,
    'Hello ann,\n\nann reopened task 1 of team 2.\nYou created it.\n',
  )
})

test('a line break in a title starts no new header and no new line', () => {
  const updated = { ...task, payload: { title: 'a\r\nBcc: eve@example.com', completed: true } }
  const { subject, text } = taskUpdatedMail(updated, creator)
  assert.equal(subject, 'Task 1 was changed: a Bcc: eve@example.com')
  assert.match(text, /^It is called "a Bcc: eve@example.com" and is done\.$/m)
})

test('two effect keys never share a Message-ID, and none breaks out of it', () => {
  const keys = ['e1:email:7', 'e1/email:7', 'e1(email):7', 'e1%3Aemail%3A7', 'a> b@c <d', '✓']
  const ids = keys.map(messageIdOf)
  assert.equal(new Set(ids).size, keys.length)
  for (const id of ids) assert.match(id, /^<[A-Za-z0-9_.!~*'%-]+@todo\.millrace>$/)
})
