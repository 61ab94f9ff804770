import { after } from 'node:test'
import { openPostgres } from '@millrace/kit'
import { openTestDatabase, type TestDatabase } from './servers/postgres-database.ts'
import { serverVariable } from './servers/server-variables.ts'
import { storeConformance } from './store-conformance.ts'

const databases: TestDatabase[] = []
after(async () => {
  for (const database of databases) await database[Symbol.asyncDispose]()
})

storeConformance({
  name: 'PostgreSQL',
  writersMax: 4,
  async open(clock) {
    const database = await openTestDatabase(serverVariable('MILLRACE_POSTGRES'))
    databases.push(database)
    return openPostgres({ url: database.url, owner: 'suite', migrations: {}, clock })
  },
})
