// Knows the users: registers them, logs them in, and tells the other services who is who.
import { randomBytes } from 'node:crypto'
import { service, systemClock } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import { catalogue } from '../../catalogue.ts'
import { authSettings } from '../../settings.ts'
import { authRoutes } from './http.ts'
import { Passwords } from './passwords.ts'
import { tables } from './tables.ts'
import { keptTokenSecret } from './token-secret.ts'

export const authService = service('auth-service', { catalogue, tables }).serve(async (running) => {
  const { serviceToken, tokenSecret } = authSettings(running.env)
  const parts = {
    running,
    passwords: await Passwords.open(randomBytes(32)),
    tokenSecret: tokenSecret ?? (await keptTokenSecret(running)),
    serviceToken,
    clock: systemClock,
  }
  return startHttp(running, { routes: (http) => authRoutes(http, parts) })
})
