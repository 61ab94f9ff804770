// Finds trips and books them. What becomes of a booking, the booking process says.
import { service } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import { catalogue, groupOf } from '../../catalogue.ts'
import { readSettings, variables } from '../../settings.ts'
import { Tokens } from '../bearer.ts'
import { bookingProcess } from './booking-process.ts'
import { voyageRoutes } from './http.ts'
import { cancel, confirm, letGo, remember } from './reactions.ts'
import { tables } from './tables.ts'

const { AUTH_SERVICE_URL, SERVICE_TOKEN } = variables

export const voyageService = service('dreamscape-voyage-service', {
  catalogue,
  tables,
  group: groupOf('voyage'),
  source: 'voyage-service',
})
  .with(({ env }) => {
    const shape = { AUTH_SERVICE_URL, SERVICE_TOKEN }
    const settings = readSettings('dreamscape-voyage-service', env, shape)
    return { tokens: Tokens.of(settings), serviceToken: settings.SERVICE_TOKEN }
  })
  .process(bookingProcess)
  .on('voyage.booking.confirmed', confirm)
  .on('voyage.booking.cancelled', cancel)
  .on('ai.prediction.made', remember)
  .on('user.deleted', letGo)
  .serve((running) =>
    startHttp(running, { routes: (http) => voyageRoutes(http, { running, ...running.resources }) }),
  )
