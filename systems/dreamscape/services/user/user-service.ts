// Knows who people are. An account begins here, and ends here; auth keeps its password, and is
// given it over HTTP, because a password is nothing for an event.
import { service } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import { catalogue, groupOf } from '../../catalogue.ts'
import { neighbourAnswerMs } from '../../limits.ts'
import { readSettings, variables } from '../../settings.ts'
import { Tokens } from '../bearer.ts'
import { Neighbour } from '../neighbour.ts'
import { userRoutes } from './http.ts'
import { tables } from './tables.ts'
import { noteUser } from './users.ts'

const { AUTH_SERVICE_URL, SERVICE_TOKEN } = variables

export const userService = service('dreamscape-user-service', {
  catalogue,
  tables,
  group: groupOf('user'),
  source: 'user-service',
})
  .with(({ env }) => {
    const shape = { AUTH_SERVICE_URL, SERVICE_TOKEN }
    const settings = readSettings('dreamscape-user-service', env, shape)
    const auth = new Neighbour({
      name: 'auth',
      url: settings.AUTH_SERVICE_URL,
      answerMs: neighbourAnswerMs,
      token: settings.SERVICE_TOKEN,
    })
    return { auth, tokens: Tokens.of(settings) }
  })
  .on('auth.login', ({ payload, timestamp }, { db }) =>
    noteUser(db, payload.userId, { lastSeenAt: timestamp }),
  )
  .on('auth.token.refreshed', ({ payload, timestamp }, { db }) =>
    noteUser(db, payload.userId, { lastSeenAt: timestamp }),
  )
  .on('ai.user.behavior.analyzed', ({ payload }, { db }) =>
    noteUser(db, payload.userId, { segment: payload.segment }),
  )
  .serve((running) =>
    startHttp(running, { routes: (http) => userRoutes(http, { running, ...running.resources }) }),
  )
