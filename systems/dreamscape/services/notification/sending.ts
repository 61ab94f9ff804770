// Sends what was asked for: an e-mail by SMTP, an SMS or a push message by a gateway over HTTP.
import { type HandlerContext, Outage, type ResourceStart } from '@millrace/kit'
import { mailer, type SendMail } from '@millrace/mail/mailer'
import { z } from 'zod'
import type { Dreamscape, Heard } from '../../catalogue.ts'
import { mailsInFlightMax, neighbourAnswerMs } from '../../limits.ts'
import { readSettings, variables } from '../../settings.ts'
import { Neighbour, type Question } from '../neighbour.ts'
import { type Contact, findContact } from './contacts.ts'
import { compose, letter, messageIdOf, type Requested } from './messages.ts'
import type { NotificationTables } from './tables.ts'

/** What the service reaches people with, and auth, for what resets a password. */
export interface Senders {
  readonly sendMail: SendMail
  readonly gateway: Neighbour
  readonly auth: Neighbour
}

type Context = HandlerContext<Dreamscape, NotificationTables, Senders>

const { AUTH_SERVICE_URL, MESSAGE_GATEWAY_URL, SMTP_URL, MAIL_FROM, SERVICE_TOKEN } = variables

export function openSenders({ env }: Pick<ResourceStart, 'env'>): Senders {
  const shape = { AUTH_SERVICE_URL, MESSAGE_GATEWAY_URL, SMTP_URL, MAIL_FROM, SERVICE_TOKEN }
  const settings = readSettings('dreamscape-notification-service', env, shape)
  const { SMTP_URL: smtpUrl, MAIL_FROM: from } = settings
  const answerMs = neighbourAnswerMs
  return {
    sendMail: mailer({ smtpUrl, from, connectionsMax: mailsInFlightMax }),
    gateway: new Neighbour({
      name: 'the message gateway',
      url: settings.MESSAGE_GATEWAY_URL,
      answerMs,
    }),
    auth: new Neighbour({
      name: 'auth',
      url: settings.AUTH_SERVICE_URL,
      answerMs,
      token: settings.SERVICE_TOKEN,
    }),
  }
}

export async function sendEmail(
  { payload }: Heard<'notification.email.requested'>,
  context: Context,
): Promise<void> {
  const contact = await findContact(context.read, payload.userId)
  if (contact === null) return
  const message = compose({ ...payload, data: await dataOf(payload, context) })
  await context.effect('email', (key) =>
    context.resources.sendMail({
      to: { name: contact.firstName, address: contact.email },
      subject: message.subject,
      text: letter(contact.firstName, message),
      messageId: messageIdOf(key),
    }),
  )
}

/** Asked for at the last moment, and by a service only: nothing that resets a password is kept. */
async function dataOf({ template, data }: Requested, context: Context): Promise<Requested['data']> {
  if (template !== 'password-reset') return data
  const path = `/auth/resets/${encodeURIComponent(String(data['resetId']))}`
  const body = await asked(context.resources.auth, { method: 'GET', path }, context)
  return z.object({ resetToken: z.string() }).parse(body)
}

export function sendSms(
  { payload }: Heard<'notification.sms.requested'>,
  context: Context,
): Promise<void> {
  return sendText('sms', payload, context)
}

export function sendPush(
  { payload }: Heard<'notification.push.requested'>,
  context: Context,
): Promise<void> {
  return sendText('push', payload, context)
}

async function sendText(via: 'sms' | 'push', payload: Requested, context: Context): Promise<void> {
  const contact = await findContact(context.read, payload.userId)
  const to = contact && placeOf(via, contact)
  // Somebody who has given no number has chosen SMS in vain.
  if (to === null) return
  const { subject, text } = compose(payload)
  await context.effect(via, (key) => {
    const body = { to, text: `${subject}\n${text}`, key }
    return asked(context.resources.gateway, { method: 'POST', path: `/${via}`, body }, context)
  })
}

function placeOf(via: 'sms' | 'push', { userId, phone }: Contact): string | null {
  return via === 'sms' ? phone : `devices of ${userId}`
}

/** Throws an `Outage` where it is down, and an error where it refuses or does not answer. */
async function asked(
  neighbour: Neighbour,
  question: Question,
  { signal }: Pick<Context, 'signal'>,
): Promise<unknown> {
  const answer = await neighbour.ask(question, signal)
  if (answer.kind === 'unavailable') throw new Outage(answer.reason)
  if (answer.kind === 'silent') throw new Error(answer.reason)
  if (answer.status >= 400) throw new Error(`${question.path} is refused with ${answer.status}`)
  return answer.body
}
