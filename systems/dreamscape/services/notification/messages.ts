// What the messages say. Pure: a template and its data give a subject and a text.
import type { PayloadOf } from '../../catalogue.ts'

export type Requested = PayloadOf<'notification.email.requested'>
export type Template = Requested['template']
type Data = Requested['data']

export interface Message {
  readonly subject: string
  readonly text: string
}

const templates: Readonly<Record<Template, (data: Data) => readonly [string, string]>> = {
  welcome: () => ['Welcome to DreamScape', 'Your account is ready.'],
  'password-changed': () => [
    'Your password was changed',
    'If it was not you, reset it now: POST /auth/password/reset.',
  ],
  'password-reset': ({ resetToken }) => [
    'Reset your password',
    `With this you choose a new one, for half an hour: ${resetToken}`,
  ],
  'account-locked': ({ wrongPasswords, lockedUntil }) => [
    'Your account is locked',
    `There were ${wrongPasswords} wrong passwords. It opens again at ${lockedUntil}.`,
  ],
  'booking-confirmed': ({ destination, bookingId }) => [
    `You are going to ${destination}`,
    `Booking ${bookingId} is paid and confirmed.`,
  ],
  'booking-changed': ({ destination, nights }) => [
    `Your trip to ${destination} was changed`,
    `You stay ${nights} nights.`,
  ],
  'booking-cancelled': ({ destination, reason }) => [
    `Your trip to ${destination} was cancelled`,
    `The reason: ${reason}.`,
  ],
  'payment-received': ({ amount }) => [`We received ${amount}`, 'Thank you.'],
  'payment-failed': ({ amount, reason }) => [
    `Your payment of ${amount} failed`,
    `The reason: ${reason}.`,
  ],
  'money-returned': ({ amount }) => [`We returned ${amount}`, 'It is on its way to your card.'],
  recommendation: ({ destinations }) => ['Where to next?', `You may like ${destinations}.`],
}

export function compose({ template, data }: Pick<Requested, 'template' | 'data'>): Message {
  const [subject, text] = templates[template](data)
  return { subject: oneLine(subject), text: oneLine(text) }
}

/** The mail's body, for somebody by name. */
export function letter(firstName: string, { text }: Message): string {
  return `Hello ${oneLine(firstName)},\n\n${text}\n`
}

export function euros(cents: number): string {
  return `${(cents / 100).toFixed(2)} EUR`
}

/**
 * The Message-ID (RFC 5322 §3.6.4) for the key of an effect: a mail that is sent again bears the
 * same. Different keys never give the same id.
 */
export function messageIdOf(effectKey: string): string {
  const local = encodeURIComponent(effectKey).replaceAll('(', '%28').replaceAll(')', '%29')
  return `<${local}@dreamscape.millrace>`
}

/** Data come from other programs, too; a subject holds no line break. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
