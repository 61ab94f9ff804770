import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { isOutage } from '@millrace/kit'
import { startMailbox } from './mailbox/mailbox.ts'
import { MailRefused, mailer, smtpFailure } from './mailer.ts'

const mail = {
  to: { name: 'Ann', address: 'ann@example.com' },
  subject: 'Hello',
  text: 'text',
  messageId: '<1@test>',
}

function failure(details: object): Error {
  return Object.assign(new Error('no'), details)
}

const failures: readonly [string, object, ReturnType<typeof smtpFailure>][] = [
  ['nobody listens', { code: 'ESOCKET', command: 'CONN' }, 'outage'],
  ['the greeting does not come', { code: 'ETIMEDOUT', command: 'CONN' }, 'outage'],
  ['the name does not resolve', { code: 'EDNS', command: 'CONN' }, 'outage'],
  ['the password is wrong', { code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535 }, 'outage'],
  ['our own address is refused', { command: 'MAIL FROM', responseCode: 553 }, 'outage'],
  ['the server closes', { command: 'RCPT TO', responseCode: 421 }, 'outage'],
  ['the recipient is unknown', { command: 'RCPT TO', responseCode: 550 }, 'refused'],
  ['the recipient is greylisted', { command: 'RCPT TO', responseCode: 451 }, 'later'],
  ['the mail is spam', { code: 'EMESSAGE', command: 'DATA', responseCode: 554 }, 'refused'],
  ['the disk there is full', { code: 'EMESSAGE', command: 'DATA', responseCode: 452 }, 'later'],
  ['there is no address', { code: 'EENVELOPE', command: 'API' }, 'refused'],
]
for (const [name, details, want] of failures) {
  test(`where ${name}, the failure is "${want}"`, () => {
    assert.equal(smtpFailure(failure(details)), want)
  })
}

test('a mail arrives with its own Message-ID, and a server that is down is an outage', async () => {
  await using mailbox = await startMailbox({ http: 0, smtp: 0 })
  const send = mailer({
    smtpUrl: `smtp://127.0.0.1:${mailbox.smtpPort}`,
    from: 'todo@test',
    connectionsMax: 1,
  })
  await send(mail)
  const [arrived] = mailbox.mails
  assert.deepEqual([arrived?.messageId, arrived?.to], ['<1@test>', ['ann@example.com']])

  await assert.rejects(
    send({ ...mail, to: { name: 'No', address: 'no@refused.test' } }),
    (error) =>
      error instanceof MailRefused &&
      !error.message.includes('no@') &&
      /refuses the mail: 550 /.test(error.message),
  )

  await mailbox.takeDown()
  await assert.rejects(send(mail), (error) => isOutage(error))
})

test('a server that hangs up in the middle is an outage', async () => {
  const server = createServer((socket) => socket.end('220 hello\r\n')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const send = mailer({ smtpUrl: `smtp://127.0.0.1:${port}`, from: 'todo@test', connectionsMax: 1 })
  await assert.rejects(send(mail), (error) => isOutage(error))
  server.close()
})
