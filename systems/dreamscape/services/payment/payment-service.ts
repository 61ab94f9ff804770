// Takes money for bookings, and returns it: by a provider, which is outside.
import { type HandlerOptions, service } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import { catalogue, groupOf } from '../../catalogue.ts'
import { chargeAttemptsMax, neighbourAnswerMs } from '../../limits.ts'
import { readSettings, variables } from '../../settings.ts'
import { Tokens } from '../bearer.ts'
import { Neighbour } from '../neighbour.ts'
import { paymentRoutes } from './http.ts'
import { ProviderClient } from './provider-client.ts'
import { charge, refundAll, refundPart } from './reactions.ts'
import { tables } from './tables.ts'

const { AUTH_SERVICE_URL, VOYAGE_SERVICE_URL, PAYMENT_PROVIDER_URL, SERVICE_TOKEN } = variables

/** Money is not moved again because somebody looks at the past. */
const handling: HandlerOptions = { retry: { attemptsMax: chargeAttemptsMax }, replay: 'forbid' }

export const paymentService = service('dreamscape-payment-service', {
  catalogue,
  tables,
  group: groupOf('payment'),
  source: 'payment-service',
})
  .with(({ env }) => {
    const shape = { AUTH_SERVICE_URL, VOYAGE_SERVICE_URL, PAYMENT_PROVIDER_URL, SERVICE_TOKEN }
    const settings = readSettings('dreamscape-payment-service', env, shape)
    const voyage = new Neighbour({
      name: 'voyage',
      url: settings.VOYAGE_SERVICE_URL,
      answerMs: neighbourAnswerMs,
      token: settings.SERVICE_TOKEN,
    })
    const provider = new ProviderClient(settings.PAYMENT_PROVIDER_URL)
    return { voyage, provider, tokens: Tokens.of(settings) }
  })
  .on('payment.initiated', charge, handling)
  .on('voyage.booking.cancelled', refundAll, handling)
  .on('voyage.booking.updated', refundPart, handling)
  .serve((running) =>
    startHttp(running, {
      routes: (http) => paymentRoutes(http, { running, ...running.resources }),
    }),
  )
