import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { startMailbox } from './mailbox.ts'
import { Mails } from './mails.ts'
import { mailboxPage } from './page.ts'

const system = { http: 0, smtp: 0 }

function sender(port: number) {
  return createTransport({ host: '127.0.0.1', port, secure: false, ignoreTLS: true })
}

function mail(subject: string, to = 'ann@example.com') {
  return { from: 'todo@example.com', to, subject, text: 'ünïcode ✓', messageId: '<1@test>' }
}

test('a mail that was sent is in the list, decoded, the newest first', async () => {
  await using mailbox = await startMailbox(system)
  const smtp = sender(mailbox.smtpPort)
  await smtp.sendMail(mail('first ✓'))
  await smtp.sendMail(mail('second'))

  const listed: unknown = await (await fetch(`${mailbox.url}/mails`)).json()
  assert.deepEqual(listed, mailbox.mails)
  assert.deepEqual(
    mailbox.mails.map(({ number, subject }) => [number, subject]),
    [
      [2, 'second'],
      [1, 'first ✓'],
    ],
  )
  const [, first] = mailbox.mails
  assert.deepEqual(
    { from: first?.from, to: first?.to, text: first?.text, messageId: first?.messageId },
    {
      from: 'todo@example.com',
      to: ['ann@example.com'],
      text: 'ünïcode ✓',
      messageId: '<1@test>',
    },
  )
  const page = await (await fetch(mailbox.url)).text()
  assert.match(page, /<h2>second<\/h2>[\s\S]*<h2>first ✓<\/h2>/)
})

test('while it is down no connection is taken; up again it has the same port', async () => {
  await using mailbox = await startMailbox(system)
  const smtp = sender(mailbox.smtpPort)
  const down = await fetch(`${mailbox.url}/smtp/down`, { method: 'POST' })
  assert.deepEqual(await down.json(), {
    isUp: false,
    port: mailbox.smtpPort,
    refusing: true,
  })
  await assert.rejects(smtp.sendMail(mail('lost')), { code: 'ESOCKET' })

  await fetch(`${mailbox.url}/smtp/up`, { method: 'POST' })
  await smtp.sendMail(mail('kept'))
  assert.deepEqual(
    mailbox.mails.map(({ subject }) => subject),
    ['kept'],
  )
})

test('a port that is taken is an error, and leaves nothing open', async () => {
  await using mailbox = await startMailbox(system)
  const taken = { http: Number(new URL(mailbox.url).port), smtp: mailbox.smtpPort }
  await assert.rejects(startMailbox({ ...system, smtp: taken.smtp }), { code: 'EADDRINUSE' })
  await assert.rejects(startMailbox({ ...system, http: taken.http }), { code: 'EADDRINUSE' })
})

test('the switch on the page leads back to the page, and another site cannot press it', async () => {
  await using mailbox = await startMailbox(system)
  const press = (site: string) =>
    fetch(`${mailbox.url}/smtp/down`, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': site,
      },
      body: '',
    })
  assert.equal((await press('cross-site')).status, 403)
  assert.match(await (await fetch(mailbox.url)).text(), /is <b class="up">up/)
  const pressed = await press('same-origin')
  assert.deepEqual([pressed.status, pressed.headers.get('location')], [303, '/'])
  assert.match(await (await fetch(mailbox.url)).text(), /is <b class="down">down/)
})

test('a recipient at refused.test gets 550, and a mail past the limit 552', async () => {
  await using mailbox = await startMailbox(system)
  const smtp = sender(mailbox.smtpPort)
  await assert.rejects(smtp.sendMail(mail('no', 'ann@Refused.test')), { responseCode: 550 })
  const huge = { ...mail('huge'), text: 'x'.repeat(300 * 1024) }
  await assert.rejects(smtp.sendMail(huge), { responseCode: 552 })
  assert.deepEqual(mailbox.mails, [])

  await fetch(`${mailbox.url}/refusals/off`, { method: 'POST' })
  await smtp.sendMail(mail('yes', 'ann@refused.test'))
  assert.equal(mailbox.mails.length, 1)
  await fetch(`${mailbox.url}/refusals/on`, { method: 'POST' })
  await assert.rejects(smtp.sendMail(mail('no', 'ann@refused.test')), { responseCode: 550 })
})

test('an SMS and a push message are in the list, each key once', async () => {
  await using mailbox = await startMailbox(system)
  const send = (path: string, body: object) =>
    fetch(`${mailbox.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const message = { to: '+351 1', text: 'hello', key: 'k-1' }
  assert.equal((await send('/sms', message)).status, 202)
  assert.equal((await send('/sms', message)).status, 202)
  assert.equal((await send('/push', { ...message, to: 'phone' })).status, 202)
  assert.equal((await send('/sms', { text: 'to nobody', key: 'k-2' })).status, 422)
  assert.deepEqual(
    mailbox.mails.map(({ via, to, text }) => [via, to.join(), text]),
    [
      ['push', 'phone', 'hello'],
      ['sms', '+351 1', 'hello'],
    ],
  )
  assert.match(await (await fetch(mailbox.url)).text(), /<h2>Push message<\/h2>[\s\S]*<h2>SMS</)
})

test('who waits for a number of mails is told at the last of them, not before', async () => {
  const mails = new Mails(10)
  const told: number[] = []
  const waiting = [1, 2, 2].map((total) => mails.arrived(total).then(() => told.push(total)))
  await mails.receive(Buffer.from('Subject: one\r\n\r\n'), [], 0)
  await waiting[0]
  assert.deepEqual(told, [1])
  await mails.receive(Buffer.from('Subject: two\r\n\r\n'), [], 0)
  await Promise.all(waiting)
  await mails.arrived(2)
  assert.deepEqual(told, [1, 2, 2])
})

test('the oldest mail is forgotten, and still counted', async () => {
  const mails = new Mails(2)
  for (const subject of ['one', 'two', 'three']) {
    await mails.receive(Buffer.from(`Subject: ${subject}\r\n\r\ntext\r\n`), [], 0)
  }
  assert.equal(mails.received, 3)
  assert.deepEqual(
    mails.newestFirst.map(({ subject }) => subject),
    ['three', 'two'],
  )
})

test('nothing that a mail says becomes markup', () => {
  const evil = `<script>alert("1")</script>'&`
  const page = mailboxPage({
    smtp: { isUp: true, port: 1025, refusing: true },
    received: 1,
    mails: [
      {
        via: 'email',
        number: 1,
        receivedAt: evil,
        from: evil,
        to: [evil],
        subject: evil,
        text: evil,
        messageId: evil,
      },
    ],
  })
  assert.equal(page.includes('<script'), false)
  assert.equal(page.split('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;').length, 7)
})
