import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { type Effect, isOutage } from '@millrace/kit'
import type { OutgoingMail } from '@millrace/mail/mailer'
import { AuthClient } from '../auth/client.ts'
import { PostOffice } from './post-office.ts'

const ann = { userId: 1, username: 'ann', email: 'ann@example.com' }
const text = { subject: 'Hello', text: 'text' }
const { signal } = new AbortController()

/** Auth, reduced to one answer. */
async function auth(status: number, body: object) {
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const people = new AuthClient({ authUrl: `http://127.0.0.1:${port}`, serviceToken: 'shared' })
  const close = () => new Promise((resolve) => server.close(resolve))
  return { asked, people, close, [Symbol.asyncDispose]: async () => void (await close()) }
}

const nobody = new AuthClient({ authUrl: 'http://127.0.0.1:1', serviceToken: '' })

test('a person is asked for with the token of the services', async () => {
  await using there = await auth(200, ann)
  const office = new PostOffice({ people: there.people, send: async () => {} })
  assert.deepEqual(await office.findPerson(1, signal), ann)
  assert.deepEqual(there.asked, ['/auth/users/1 Bearer shared'])
})

test('a user whom auth does not know fails the event, and is no outage', async () => {
  await using there = await auth(404, {})
  const office = new PostOffice({ people: there.people, send: async () => {} })
  await assert.rejects(
    office.findPerson(7, signal),
    (error) => !isOutage(error) && /^Error: auth knows no user 7 \(yet\)$/.test(String(error)),
  )
})

for (const [name, status, reason] of [
  ['that fails', 500, /answered 500$/],
  ['that does not let us in', 403, /refuses our SERVICE_TOKEN/],
  ['that answers nonsense', 200, /answered 200$/],
] as const) {
  test(`an auth ${name} is an outage`, async () => {
    await using there = await auth(status, { not: 'a person' })
    const office = new PostOffice({ people: there.people, send: async () => {} })
    await assert.rejects(
      office.findPerson(1, signal),
      (error) => isOutage(error) && error instanceof Error && reason.test(error.message),
    )
  })
}

test('an auth that is down is an outage', async () => {
  const there = await auth(200, ann)
  await there.close()
  const office = new PostOffice({ people: there.people, send: async () => {} })
  await assert.rejects(
    office.findPerson(1, signal),
    (error) => isOutage(error) && /does not answer: .*REFUSED/.test(String(error)),
  )
})

test('one mail at a time is between the SMTP server and the row that records it', async () => {
  const events: string[] = []
  const effect: Effect = async (name, person, act = fail) => {
    assert.deepEqual([name, person], ['email', 'user-1'])
    events.push('begin')
    if (typeof act === 'function') await act('event-1:email:user-1')
    // The commit takes a moment, in which no other mail may begin.
    await Promise.resolve()
    events.push('recorded')
  }
  const sent: OutgoingMail[] = []
  const office = new PostOffice({
    people: nobody,
    send: async (mail) => {
      events.push('sent')
      sent.push(mail)
    },
  })
  const delivery = { effect, signal }
  await Promise.all([office.mail(ann, text, delivery), office.mail(ann, text, delivery)])
  assert.deepEqual(events, ['begin', 'sent', 'recorded', 'begin', 'sent', 'recorded'])
  assert.deepEqual(sent[0], {
    ...text,
    to: { name: 'ann', address: 'ann@example.com' },
    messageId: '<event-1%3Aemail%3Auser-1@todo.millrace>',
  })
})

test('a handler whose time is over sends nothing when its turn comes', async () => {
  const office = new PostOffice({ people: nobody, send: () => fail() })
  const over = AbortSignal.abort(new Error('too late'))
  await assert.rejects(office.mail(ann, text, { effect: fail, signal: over }), /too late/)
})

function fail(): Promise<never> {
  throw new Error('must not be called')
}
