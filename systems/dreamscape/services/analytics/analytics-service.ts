// Counts what happens in all of DreamScape, from its events alone.
import { service } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import { catalogue, groupOf } from '../../catalogue.ts'
import { addReceived, addReturned, count, countView } from './aggregates.ts'
import { analyticsRoutes } from './http.ts'
import { tables } from './tables.ts'

export const analyticsService = service('dreamscape-analytics-service', {
  catalogue,
  tables,
  group: groupOf('analytics'),
  source: 'analytics-service',
})
  .on('user.created', count)
  .on('user.updated', count)
  .on('user.deleted', count)
  .on('user.profile.updated', count)
  .on('user.preferences.updated', count)
  .on('auth.login', count)
  .on('auth.logout', count)
  .on('auth.token.refreshed', count)
  .on('auth.password.changed', count)
  .on('auth.password.reset.requested', count)
  .on('auth.account.locked', count)
  .on('voyage.search.performed', count)
  .on('voyage.booking.created', count)
  .on('voyage.booking.confirmed', count)
  .on('voyage.booking.cancelled', count)
  .on('voyage.booking.updated', count)
  .on('voyage.flight.selected', count)
  .on('voyage.hotel.selected', count)
  .on('payment.initiated', count)
  .on('payment.completed', addReceived)
  .on('payment.failed', count)
  .on('payment.refunded', addReturned)
  .on('payment.partial.refund', addReturned)
  .on('ai.recommendation.requested', count)
  .on('ai.recommendation.generated', count)
  .on('ai.prediction.made', count)
  .on('ai.user.behavior.analyzed', count)
  .on('notification.email.requested', count)
  .on('notification.sms.requested', count)
  .on('notification.push.requested', count)
  .on('analytics.event.tracked', count)
  .on('analytics.page.view', countView)
  .serve((running) => startHttp(running, { routes: (http) => analyticsRoutes(http, running) }))
