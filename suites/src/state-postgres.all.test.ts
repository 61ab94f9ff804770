import { tmpdir } from 'node:os'
import { openTestDatabase } from './servers/postgres-database.ts'
import { serverVariable } from './servers/server-variables.ts'
import { stateConformance } from './state-conformance.ts'

stateConformance({
  name: 'PostgreSQL',
  async open() {
    const database = await openTestDatabase(serverVariable('MILLRACE_POSTGRES'))
    return {
      start: { directory: tmpdir(), env: { DATABASE_URL: database.url } },
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    }
  },
})
