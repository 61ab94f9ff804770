import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startBroker } from '@millrace/broker'
import { openKafka, readKafkaConfig, silentLog, startService, type Transport } from '@millrace/kit'
import { type Mailbox, startMailbox } from '@millrace/mail/mailbox'
import { authService } from '../auth/auth-service.ts'
import { notificationService } from './notification-service.ts'

// Another program writes to the topics: a Go service with kafka-go, as in the seed. Its records
// have neither key nor headers, its times nanoseconds and an offset.

const running = new AsyncDisposableStack()
let producer: Transport
let mailbox: Mailbox

before(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-foreign-'))
  running.defer(() => rm(directory, { recursive: true }))
  const broker = running.use(await startBroker({}))
  const kafka = { KAFKA_BROKERS: broker.bootstrap }
  producer = running.use(openKafka(readKafkaConfig(kafka)))
  mailbox = running.use(await startMailbox({ http: 0, smtp: 0 }))
  const env = {
    ...kafka,
    SERVICE_TOKEN: 'shared',
    SMTP_URL: `smtp://127.0.0.1:${mailbox.smtpPort}`,
  }
  const start = { directory, log: silentLog }
  const auth = running.use(await startService(authService, { ...start, env }))
  const authUrl = auth.servers.flatMap(({ urls = [] }) => urls)[0] ?? ''
  const neighbours = { ...env, AUTH_SERVICE_URL: authUrl }
  const notification = await startService(notificationService, { ...start, env: neighbours })
  running.use(notification)
  for (const username of ['ann', 'ben']) {
    await fetch(`${authUrl}/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, email: `${username}@example.com`, password: 'pass' }),
    })
  }
  await mailbox.arrived(2)
})
after(() => running.disposeAsync())

async function produce(topic: string, json: string): Promise<void> {
  const value = new TextEncoder().encode(json)
  const outcome = await producer.send({ topic, partition: 0 }, [
    { key: null, value, headers: [], timestampMs: Date.now() },
  ])
  assert.equal(outcome.kind, 'sent')
}

const updated = {
  eventType: 'task.updated',
  taskId: 1,
  teamId: 1,
  actorId: 1,
  creatorId: 1,
  assigneeId: 2,
  timestamp: '2025-08-25T22:41:54.574Z',
  payload: { title: 'Updated Task Title', completed: false },
}
const { assigneeId: _, ...unassigned } = updated

const both = ['ann@example.com', 'ben@example.com']

const cases: readonly [string, object, readonly string[], string][] = [
  ["like the seed's own", updated, both, 'Task 1 was changed: Updated Task Title'],
  [
    'with a time of nanoseconds and an offset',
    {
      ...updated,
      eventType: 'task.completed',
      timestamp: '2025-08-26T00:50:15.123456789+02:00',
      payload: { completed: true },
    },
    both,
    'Task 1 was completed',
  ],
  [
    'with an assignee of null',
    { ...updated, assigneeId: null },
    ['ann@example.com'],
    'Task 1 was changed: Updated Task Title',
  ],
  [
    'without an assignee',
    unassigned,
    ['ann@example.com'],
    'Task 1 was changed: Updated Task Title',
  ],
  [
    'with fields that nobody knows',
    {
      eventType: 'user.created',
      userId: 7,
      timestamp: '2025-08-25T22:30:57.123Z',
      region: 'eu',
      payload: { email: 'user@example.com', username: 'newuser', plan: 'free' },
    },
    ['user@example.com'],
    'Welcome, newuser',
  ],
]
for (const [name, event, readers, subject] of cases) {
  test(`a record ${name} is heard like our own`, async () => {
    const before = mailbox.mails.length
    await produce('eventType' in event ? String(event.eventType) : '', JSON.stringify(event))
    await mailbox.arrived(before + readers.length)
    const arrived = mailbox.mails.toReversed().slice(before)
    assert.deepEqual(
      arrived.map((mail) => [mail.to.join(), mail.subject]),
      readers.map((reader) => [reader, subject]),
    )
  })
}

test('a record that is no event stops nothing, and waits among the dead letters', async () => {
  const before = mailbox.mails.length
  await produce('task.updated', 'this is no JSON')
  await produce('task.updated', JSON.stringify({ ...updated, creatorId: 'ann' }))
  await produce('task.updated', JSON.stringify({ ...unassigned, taskId: 2 }))
  await mailbox.arrived(before + 1)
  assert.equal(mailbox.mails[0]?.subject, 'Task 2 was changed: Updated Task Title')
})
