// When somebody is told something: each occasion asks for messages, by the channels that the
// person has chosen. To send them is another matter (`sending.ts`), which may fail by itself.
import type { HandlerContext } from '@millrace/kit'
import type { Dreamscape, Heard } from '../../catalogue.ts'
import { type Channel, findContact, setContact } from './contacts.ts'
import { euros, type Requested } from './messages.ts'
import type { NotificationTables } from './tables.ts'

type Context = Pick<HandlerContext<Dreamscape, NotificationTables>, 'db' | 'read' | 'publish'>

const requests = {
  email: 'notification.email.requested',
  sms: 'notification.sms.requested',
  push: 'notification.push.requested',
} as const

/** Asks for the message by those of `channels` that the person has chosen. */
async function tell(
  { publish, db }: Context,
  message: Requested,
  channels: readonly Channel[] = ['email'],
): Promise<void> {
  const contact = await findContact(db, message.userId)
  if (contact === null) return
  for (const channel of channels) {
    if (contact.channels.includes(channel)) await publish(requests[channel], { payload: message })
  }
}

/** What is about safety goes out by e-mail, chosen or not. */
async function warn({ publish, db }: Context, message: Requested): Promise<void> {
  const contact = await findContact(db, message.userId)
  if (contact !== null) await publish(requests.email, { payload: message })
}

export async function welcome({ payload }: Heard<'user.created'>, context: Context) {
  const { userId, email, firstName } = payload
  await setContact(context.db, userId, { email, firstName })
  await tell(context, { userId, template: 'welcome', data: {} })
}

export function passwordChanged(
  { payload: { userId } }: Heard<'auth.password.changed'>,
  context: Context,
) {
  return warn(context, { userId, template: 'password-changed', data: {} })
}

/** The mail's writer asks auth for what resets it: a secret is nothing for an event. */
export function resetRequested(
  { payload: { userId, resetId } }: Heard<'auth.password.reset.requested'>,
  context: Context,
) {
  return warn(context, { userId, template: 'password-reset', data: { resetId } })
}

export async function accountLocked({ payload }: Heard<'auth.account.locked'>, context: Context) {
  const { userId, ...data } = payload
  const message = { userId, template: 'account-locked', data } as const
  await warn(context, message)
  await tell(context, message, ['sms'])
}

export function bookingConfirmed({ payload }: Heard<'voyage.booking.confirmed'>, context: Context) {
  const { userId, destination, bookingId } = payload
  const data = { destination, bookingId }
  return tell(context, { userId, template: 'booking-confirmed', data }, ['email', 'push'])
}

export async function bookingChanged(
  { payload }: Heard<'voyage.booking.updated'>,
  context: Context,
) {
  const { userId, destination, nights, change } = payload
  if (change !== 'nights') return
  await tell(context, { userId, template: 'booking-changed', data: { destination, nights } })
}

export function bookingCancelled({ payload }: Heard<'voyage.booking.cancelled'>, context: Context) {
  const { userId, destination, reason } = payload
  const data = { destination, reason }
  return tell(context, { userId, template: 'booking-cancelled', data }, ['email', 'sms'])
}

export function paymentReceived({ payload }: Heard<'payment.completed'>, context: Context) {
  const { userId, amountCents } = payload
  return tell(context, {
    userId,
    template: 'payment-received',
    data: { amount: euros(amountCents) },
  })
}

export function paymentFailed({ payload }: Heard<'payment.failed'>, context: Context) {
  const { userId, amountCents, reason } = payload
  const data = { amount: euros(amountCents), reason }
  return tell(context, { userId, template: 'payment-failed', data })
}

type Returned = Heard<'payment.refunded'> | Heard<'payment.partial.refund'>

export function moneyReturned({ payload: { userId, amountCents } }: Returned, context: Context) {
  return tell(context, { userId, template: 'money-returned', data: { amount: euros(amountCents) } })
}

export async function recommended(
  { payload: { userId, destinations } }: Heard<'ai.recommendation.generated'>,
  context: Context,
) {
  if (destinations.length === 0) return
  const data = { destinations: destinations.join(', ') }
  await tell(context, { userId, template: 'recommendation', data }, ['push'])
}
