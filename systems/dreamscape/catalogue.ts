// Every event of DreamScape: 32 topics in seven domains, named `dreamscape.<domain>.<event>`. On
// the wire each is the seed's `BaseEvent`, whose `eventType` is the topic without `dreamscape.`.
//
// Everything about one booking shares the stream `booking`, and everything about one account the
// stream `user`: a service handles the events of one booking one at a time, whatever their topics.
import { type BodyOf, defineCatalogue, type EventName, type EventOf, event } from '@millrace/kit'
import { z } from 'zod'

const id = z.string().min(1)
const cents = z.int().nonnegative()
const time = z.iso.datetime({ offset: true })

const ofUser = z.object({ userId: id })
const session = ofUser.extend({ sessionId: id })
const account = ofUser.extend({ email: z.string(), firstName: z.string(), lastName: z.string() })
const booking = ofUser.extend({ bookingId: id, destination: z.string() })
const payment = ofUser.extend({
  paymentId: id,
  bookingId: id,
  amountCents: cents,
  currency: z.literal('EUR'),
})

export const channels = ['email', 'sms', 'push'] as const

/** What a message says is the notification service's own; who asks for one names the occasion. */
const message = ofUser.extend({
  template: z.enum([
    'welcome',
    'password-changed',
    'password-reset',
    'account-locked',
    'booking-confirmed',
    'booking-changed',
    'booking-cancelled',
    'payment-received',
    'payment-failed',
    'money-returned',
    'recommendation',
  ]),
  data: z.record(z.string(), z.union([z.string(), z.number()])),
})

/** About a person: in the order of their doing, by topic. */
function byUser<P extends { userId: string }>(payload: z.ZodType<P>) {
  return event({ version: '1.0', key: (of) => of.payload.userId, payload })
}

/** About an account. */
function inUser<P extends { userId: string }>(payload: z.ZodType<P>) {
  return event({ version: '1.0', stream: 'user', key: (of) => of.payload.userId, payload })
}

function inBooking<P extends { bookingId: string }>(payload: z.ZodType<P>) {
  return event({ version: '1.0', stream: 'booking', key: (of) => of.payload.bookingId, payload })
}

/** About somebody who need not have an account. */
function byVisitor<P extends { visitorId: string }>(payload: z.ZodType<P>) {
  return event({ version: '1.0', key: (of) => of.payload.visitorId, payload })
}

export const catalogue = defineCatalogue(
  'dreamscape',
  {
    'user.created': inUser(account),
    'user.updated': inUser(account),
    'user.deleted': inUser(ofUser),
    'user.profile.updated': inUser(
      ofUser.extend({ phone: z.string().nullable(), homeAirport: z.string().nullable() }),
    ),
    'user.preferences.updated': inUser(
      ofUser.extend({
        channels: z.array(z.enum(channels)),
        interests: z.array(z.string()),
      }),
    ),

    'auth.login': byUser(session),
    'auth.logout': byUser(session),
    'auth.token.refreshed': byUser(session),
    'auth.password.changed': byUser(ofUser.extend({ how: z.enum(['changed', 'reset']) })),
    /** Without what resets it: that is for the e-mail alone. */
    'auth.password.reset.requested': byUser(ofUser.extend({ resetId: id, expiresAt: time })),
    'auth.account.locked': byUser(ofUser.extend({ wrongPasswords: z.int(), lockedUntil: time })),

    'voyage.search.performed': byVisitor(
      z.object({ visitorId: id, destination: z.string().nullable(), found: z.int() }),
    ),
    'voyage.booking.created': inBooking(
      booking.extend({
        flightId: id,
        hotelId: id.nullable(),
        nights: z.int(),
        totalCents: cents,
        /** Unpaid by then, it is cancelled. */
        payBy: time,
      }),
    ),
    'voyage.booking.confirmed': inBooking(booking.extend({ paymentId: id })),
    'voyage.booking.cancelled': inBooking(
      booking.extend({
        reason: z.enum(['asked', 'payment failed', 'not paid in time']),
      }),
    ),
    /** The customer changed the booking, or asked for it to be cancelled. */
    'voyage.booking.updated': inBooking(
      booking.extend({
        change: z.enum(['nights', 'cancellation asked']),
        nights: z.int(),
        totalCents: cents,
        /** What is to be returned of a booking that is paid. */
        refundCents: cents,
      }),
    ),
    'voyage.flight.selected': byUser(ofUser.extend({ flightId: id, destination: z.string() })),
    'voyage.hotel.selected': byUser(
      ofUser.extend({ hotelId: id, destination: z.string(), nights: z.int() }),
    ),

    'payment.initiated': inBooking(payment),
    'payment.completed': inBooking(payment.extend({ chargeId: id })),
    'payment.failed': inBooking(payment.extend({ reason: z.string() })),
    /** All that was left of it. */
    'payment.refunded': inBooking(payment.extend({ refundId: id })),
    'payment.partial.refund': inBooking(payment.extend({ refundId: id, remainingCents: cents })),

    'ai.recommendation.requested': byUser(ofUser.extend({ requestId: id })),
    'ai.recommendation.generated': byUser(
      ofUser.extend({ requestId: id, destinations: z.array(z.string()) }),
    ),
    'ai.prediction.made': byUser(
      ofUser.extend({ destination: z.string(), confidence: z.number().min(0).max(1) }),
    ),
    'ai.user.behavior.analyzed': byUser(
      ofUser.extend({
        segment: z.enum(['newcomer', 'dreamer', 'traveller']),
        favourite: z.string().nullable(),
      }),
    ),

    'notification.email.requested': byUser(message),
    'notification.sms.requested': byUser(message),
    'notification.push.requested': byUser(message),

    'analytics.event.tracked': byVisitor(
      z.object({
        visitorId: id,
        name: z.string(),
        properties: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      }),
    ),
    'analytics.page.view': byVisitor(z.object({ visitorId: id, path: z.string() })),
  },
  { topicPrefix: 'dreamscape.', partitions: 3 },
)

export type Dreamscape = typeof catalogue
export type Name = EventName<Dreamscape>
/** An event as its handlers get it. */
export type Heard<N extends Name> = EventOf<Dreamscape, N>
/** What an event says. */
export type PayloadOf<N extends Name> = BodyOf<Dreamscape, N>['payload']

/** Each service's group, by the seed's pattern. */
export function groupOf(service: 'auth' | 'user' | 'voyage' | 'payment' | 'ai' | Later): string {
  return `dreamscape-${service}-service-group`
}

/** Services whose groups the seed does not list. */
type Later = 'notification' | 'analytics'
