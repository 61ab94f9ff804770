import { after } from 'node:test'
import { openPostgres } from '@millrace/kit'
import { PostgresStores } from './postgres-stores.ts'
import { serverVariable } from './servers/server-variables.ts'
import { storeConformance } from './store-conformance.ts'

const stores = new PostgresStores(serverVariable('MILLRACE_POSTGRES'))
after(() => stores[Symbol.asyncDispose]())
let databases = 0

storeConformance({
  name: 'PostgreSQL',
  writersMax: 4,
  async open(clock) {
    const { DATABASE_URL: url = '' } = await stores.of(String(databases++))
    return openPostgres({ url, owner: 'suite', migrations: {}, clock })
  },
})
