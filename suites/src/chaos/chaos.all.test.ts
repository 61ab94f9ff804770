import { test } from 'node:test'
import { serverVariable } from '../servers/server-variables.ts'
import { chaos } from './chaos.ts'

const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000)
const postgresUrl = serverVariable('MILLRACE_POSTGRES')

test(`10,000 events through three instances that die are heard once and in order (CHAOS_SEED=${seed})`, async (t) => {
  await chaos({ postgresUrl, events: 10_000, seed, say: (line) => t.diagnostic(line) })
})
