// Keeps teams and their tasks, and says what changes.
import { service, systemClock } from '@millrace/kit'
import { startHttp } from '@millrace/kit/http'
import { catalogue } from '../../catalogue.ts'
import { taskSettings } from '../../settings.ts'
import { AuthClient } from '../auth/client.ts'
import { taskRoutes } from './http.ts'
import { Sessions } from './sessions.ts'
import { tables } from './tables.ts'

export const taskService = service('task-service', { catalogue, tables }).serve(async (running) => {
  const people = new AuthClient(taskSettings(running.env))
  const parts = { running, people, sessions: new Sessions(people, systemClock) }
  return startHttp(running, { routes: (http) => taskRoutes(http, parts) })
})
