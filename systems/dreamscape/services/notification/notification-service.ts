// Tells people what happened, by the channels that they have chosen. First it is decided what to
// say, in one transaction; then each message is sent by itself, so that one that fails repeats no
// other.
import { service } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import { catalogue, groupOf } from '../../catalogue.ts'
import { forgetContact, setContact } from './contacts.ts'
import * as occasions from './occasions.ts'
import { openSenders, sendEmail, sendPush, sendSms } from './sending.ts'
import { tables } from './tables.ts'

export const notificationService = service('dreamscape-notification-service', {
  catalogue,
  tables,
  group: groupOf('notification'),
  source: 'notification-service',
})
  .with(openSenders)
  .on('user.created', occasions.welcome)
  .on('user.updated', ({ payload: { userId, email, firstName } }, { db }) =>
    setContact(db, userId, { email, firstName }),
  )
  .on('user.profile.updated', ({ payload: { userId, phone } }, { db }) =>
    setContact(db, userId, { phone }),
  )
  .on('user.preferences.updated', ({ payload: { userId, channels } }, { db }) =>
    setContact(db, userId, { channels: JSON.stringify(channels) }),
  )
  .on('user.deleted', ({ payload }, { db }) => forgetContact(db, payload.userId))
  .on('auth.password.changed', occasions.passwordChanged)
  .on('auth.password.reset.requested', occasions.resetRequested)
  .on('auth.account.locked', occasions.accountLocked)
  .on('voyage.booking.confirmed', occasions.bookingConfirmed)
  .on('voyage.booking.updated', occasions.bookingChanged)
  .on('voyage.booking.cancelled', occasions.bookingCancelled)
  .on('payment.completed', occasions.paymentReceived)
  .on('payment.failed', occasions.paymentFailed)
  .on('payment.refunded', occasions.moneyReturned)
  .on('payment.partial.refund', occasions.moneyReturned)
  .on('ai.recommendation.generated', occasions.recommended)
  .on('notification.email.requested', sendEmail)
  .on('notification.sms.requested', sendSms)
  .on('notification.push.requested', sendPush)
  .serve((running) => startHttp(running))
