import { after } from 'node:test'
import { deliveryConformance } from './delivery-conformance.ts'
import { embeddedBackend } from './embedded-backend.ts'
import { PostgresStores } from './postgres-stores.ts'
import { serverVariable } from './servers/servers.ts'

const stores = new PostgresStores(serverVariable('MILLRACE_POSTGRES'))
after(() => stores[Symbol.asyncDispose]())

deliveryConformance({
  name: 'the embedded broker and PostgreSQL',
  open: embeddedBackend,
  storeOf: stores.of,
})
