// Knows who may log in: passwords, sessions, locks. Who a person is, the user service knows; an
// account begins and ends there, and auth hears of it.
import { randomBytes } from 'node:crypto'
import { service } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import { createLocalJWKSet } from 'jose'
import { catalogue, groupOf } from '../../catalogue.ts'
import { readSettings, variables } from '../../settings.ts'
import { Tokens } from '../bearer.ts'
import { authRoutes } from './http.ts'
import { confirmLogin, forgetLogin, setEmail } from './logins.ts'
import { Passwords } from './passwords.ts'
import { Signing } from './signing.ts'
import { tables } from './tables.ts'

const { SERVICE_TOKEN } = variables

export const authService = service('dreamscape-auth-service', {
  catalogue,
  tables,
  group: groupOf('auth'),
  source: 'auth-service',
})
  .with(({ env }) => readSettings('dreamscape-auth-service', env, { SERVICE_TOKEN }))
  .on('user.created', ({ payload }, { db }) => confirmLogin(db, payload))
  .on('user.updated', ({ payload }, { db }) => setEmail(db, payload))
  .on('user.deleted', ({ payload }, { db }) => forgetLogin(db, payload.userId))
  .serve(async (running) => {
    const signing = await Signing.open(running)
    const parts = {
      running,
      signing,
      passwords: await Passwords.open(randomBytes(32)),
      tokens: new Tokens(createLocalJWKSet(signing.publicKeys)),
      serviceToken: running.resources.SERVICE_TOKEN,
    }
    return startHttp(running, { routes: (http) => authRoutes(http, parts) })
  })
