import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogue, groupOf } from './catalogue.ts'

/** The seed's list, word for word. */
const seed = `
dreamscape.user.created
dreamscape.user.updated
dreamscape.user.deleted
dreamscape.user.profile.updated
dreamscape.user.preferences.updated
dreamscape.auth.login
dreamscape.auth.logout
dreamscape.auth.token.refreshed
dreamscape.auth.password.changed
dreamscape.auth.password.reset.requested
dreamscape.auth.account.locked
dreamscape.voyage.search.performed
dreamscape.voyage.booking.created
dreamscape.voyage.booking.confirmed
dreamscape.voyage.booking.cancelled
dreamscape.voyage.booking.updated
dreamscape.voyage.flight.selected
dreamscape.voyage.hotel.selected
dreamscape.payment.initiated
dreamscape.payment.completed
dreamscape.payment.failed
dreamscape.payment.refunded
dreamscape.payment.partial.refund
dreamscape.ai.recommendation.requested
dreamscape.ai.recommendation.generated
dreamscape.ai.prediction.made
dreamscape.ai.user.behavior.analyzed
dreamscape.notification.email.requested
dreamscape.notification.sms.requested
dreamscape.notification.push.requested
dreamscape.analytics.event.tracked
dreamscape.analytics.page.view`

test("the topics are the seed's, and eventType is the topic without dreamscape.", () => {
  const topics = seed.trim().split('\n')
  assert.deepEqual(
    catalogue.topics.map(({ topic }) => topic),
    topics,
  )
  assert.deepEqual(
    [...catalogue.routes.keys()],
    topics.map((topic) => topic.slice('dreamscape.'.length)),
  )
})

test("the seed's example stands on the wire as in the seed, and is read as it stands there", () => {
  const example = {
    eventId: '550e8400-e29b-41d4-a716-446655440000',
    eventType: 'user.created',
    timestamp: '2024-01-15T10:30:00.000Z',
    version: '1.0',
    source: 'user-service',
    correlationId: 'corr-123456',
    payload: {
      userId: 'user-123',
      email: 'john@example.com',
      firstName: 'John',
      lastName: 'Doe',
    },
  }
  const { payload, ...envelope } = example
  const value = catalogue.format.encode({
    envelope: { ...envelope, causationId: null, metadata: {} },
    fields: {},
    payload,
  })
  assert.equal(new TextDecoder().decode(value), JSON.stringify(example))
  const decoded = catalogue.format.decode(value)
  assert.deepEqual([decoded.envelope, decoded.payload], [envelope, payload])
  assert.deepEqual(catalogue.events['user.created'].payload['~standard'].validate(payload), {
    value: payload,
  })
})

test('what is said of one booking, and of one account, is in one stream', () => {
  const inStream = (wanted: string) =>
    [...catalogue.routes.values()]
      .filter(({ stream }) => stream === wanted)
      .map(({ eventName }) => eventName)
  assert.equal(inStream('user').length, 5)
  assert.deepEqual(inStream('booking'), [
    'voyage.booking.created',
    'voyage.booking.confirmed',
    'voyage.booking.cancelled',
    'voyage.booking.updated',
    'payment.initiated',
    'payment.completed',
    'payment.failed',
    'payment.refunded',
    'payment.partial.refund',
  ])
})

test("the groups are the seed's", () => {
  assert.deepEqual((['auth', 'user', 'voyage', 'payment', 'ai'] as const).map(groupOf), [
    'dreamscape-auth-service-group',
    'dreamscape-user-service-group',
    'dreamscape-voyage-service-group',
    'dreamscape-payment-service-group',
    'dreamscape-ai-service-group',
  ])
})
